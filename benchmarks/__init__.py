"""Measurements that the book and README cite, each a script that can be run again."""
