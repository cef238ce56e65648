// The contents at the side mark the section that is being read: the last one whose heading has come above a line, a
// third down the window, which sinks to its foot as the page ends. A section that a link led to stays marked until the
// reader scrolls.
document.addEventListener("DOMContentLoaded", () => {
  const links = [...document.querySelectorAll("#contents-of-this-page a[href^='#']")];
  const headings = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
  let held = null;

  const show = () => {
    const height = innerHeight;
    const left = document.documentElement.scrollHeight - scrollY - height;
    const line = Math.max(height / 3, height - left);
    const above = headings.filter((heading) => heading && heading.getBoundingClientRect().top < line).pop();
    const current = links[headings.indexOf(held ?? above)];
    for (const link of links) {
      link.classList.toggle("active", link === current);
      if (link === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    for (const entry of document.querySelectorAll("#contents-of-this-page .toc-entry"))
      entry.classList.toggle("active", entry.contains(current ?? null));
  };

  const follow = () => {
    held = headings.find((heading) => heading && `#${heading.id}` === decodeURIComponent(location.hash)) ?? null;
    show();
  };

  let waiting = false;
  const scrolled = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      show();
    });
  };
  const release = () => (held = null);

  for (const event of ["wheel", "touchmove", "pointerdown", "keydown"]) addEventListener(event, release, { passive: true });
  addEventListener("scroll", scrolled, { passive: true });
  addEventListener("resize", scrolled);
  addEventListener("hashchange", follow);
  for (const link of links) link.addEventListener("click", () => setTimeout(follow));
  follow();
});
