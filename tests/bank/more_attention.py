"""Further slips in the exercises on attention."""

from tests.bank import More
from tests.bank.unet import Look
from tests.bank.unet_blocks import Grow


def look(layout="", axis=-1, scale=None, skip=True):
    class L(Look):
        def forward(self, x):
            b, c, h, w = x.shape
            d = c // self.heads
            qkv = self.qkv(x)
            if layout == "first":
                qkv = qkv.reshape(b, self.heads, 3, d, -1).transpose(1, 2)
            elif layout == "last":
                qkv = qkv.reshape(b, 3, d, self.heads, -1).transpose(2, 3)
            q, k, v = qkv.reshape(b, 3, self.heads, d, -1).unbind(1)
            s = (q.transpose(-1, -2) @ k / (scale(d, c, h * w) if scale else d**0.5)).softmax(axis)
            f = v @ s.transpose(-1, -2)
            if layout == "last":
                f = f.transpose(1, 2)
            return x * skip + f.reshape(x.shape)

    return L


class Swapped(Look):
    def forward(self, x):
        q, k, v = self.split(x)
        s = (k.transpose(-1, -2) @ q / q.shape[2] ** 0.5).softmax(-1)
        return x + (v @ s.transpose(-1, -2)).reshape(x.shape)


class NoT(Look):
    def forward(self, x):
        q, k, v = self.split(x)
        s = (q.transpose(-1, -2) @ k / q.shape[2] ** 0.5).softmax(-1)
        return x + (v @ s).reshape(x.shape)


class Heads1(Look):
    def forward(self, x):
        b, c, h, w = x.shape
        q, k, v = self.qkv(x).reshape(b, 3, c, h * w).unbind(1)
        s = (q.transpose(1, 2) @ k / self.heads**0.5).softmax(-1)
        return x + (v @ s.transpose(1, 2)).reshape(x.shape)


class Over(Look):
    def forward(self, x):
        q, k, v = self.split(x)
        s = (q @ k.transpose(-1, -2) / q.shape[2] ** 0.5).softmax(-1)
        return x + (s @ v).reshape(x.shape)


def sm(s, v, axis=-1):
    return s.softmax(axis) @ v


def grow(forward):
    return type("Grow", (Grow,), {"forward": forward})


MORE: More = {
    "check_attention": [
        (lambda q, k, v: sm(q @ k.T / v.shape[1] ** 0.5, v), "d is a query's length, not a"),
        (lambda q, k, v: sm(q @ k.T / 2 ** q.shape[1], v), "What divides the scores is the root"),
        (lambda q, k, v: sm(q @ k.T, v).div(q.shape[1]), "It is the scores that are divided"),
        (lambda q, k, v: sm(q @ k.T / q.shape[1] ** 0.5, v, 0), "The softmax runs along the wrong axis"),
        (lambda q, k, v: (q @ k.T / q.shape[1] ** 0.5).softmax(-1).T @ v, "The weights are transposed"),
        (lambda q, k, v: sm(q @ k.T / len(q), v), "d is the number of features, not"),
        (
            lambda q, k, v: (q @ k.T / q.shape[1] ** 0.5).sigmoid() @ v,
            "A sigmoid weighs each pixel by itself",
        ),
        (lambda q, k, v: (q @ k.T / q.shape[1] ** 0.5).exp() @ v, "Exponentials alone do not sum to 1"),
        (
            lambda q, k, v: (
                sm(q.T @ k / q.shape[1] ** 0.5, v.T).T if False else sm(q @ k.T / q.shape[1] ** 0.5, q)[:, :3]
            ),
            "Your function's result has shape (4, 3)",
        ),
    ],
    "check_look": [
        (look(axis=-2), "The softmax runs along the wrong axis"),
        (look(axis=1), "The softmax runs over the heads"),
        (look(axis=0), "The softmax runs over the pictures of"),
        (look("first", scale=lambda d, c, n: c**0.5), "The heads are split"),
        (look(scale=lambda d, c, n: d), "Divide by the root of d, not"),
        (look(scale=lambda d, c, n: n**0.5), "d is the number of features of"),
        (look("first", scale=lambda d, c, n: 1), "The scores are not divided by the"),
        (look("last", skip=False), "What is found is added to x"),
        (Swapped, "Keys and queries are swapped"),
        (NoT, "The weights meet the wrong axis of"),
        (Over, "The scores compare channels here"),
        (look(scale=lambda d, c, n: 1 / d**0.5), "Divide by the root of d, do"),
    ],
}
