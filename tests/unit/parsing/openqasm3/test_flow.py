"""Statements in blocks, loops and jumps do the same with values that are known and with those of a run."""

from __future__ import annotations

from random import Random

import pytest
from basicaer import simulator as sim
from basicaer.service.parsing import ProgramFault
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.parsing.openqasm3.outcomes import outcomes

HEAD = """
def g(int[8] x, int[8] y) -> int[8] {
  if (x > y) { return x - y; }
  x += 1;
  for int i in [0:2] { if (i == y) return x; y -= 1; }
  return y;
}
def grow(mutable array[int[8], #dim = 1] w) { for int i in [0:sizeof(w) - 1] { w[i] += i; } }
def bounded(float q) -> float { if (q > 100.0 || q < -100.0) { return 1.0; } return q; }
output int[8] a; output uint[5] b; output uint[80] e; output bit[4] c; output float f; output complex z;
output bool one; output angle[4] h; output array[int[8], 3] v; output array[int[8], 2, 2] m;
uint[1] k; bit t1; let al = t1 ++ c[1:2];
v = {1, 2, 3}; m = {{5, 6}, {7, 8}};
a = 3; b = 9; e = 5; c = "0110"; f = 2.0; z = 1.0 + 2.0im; one = true; h = pi;
"""
# What isn't done, but only a run knows that.
UNKNOWN = """
qubit q; bit t; t = measure q;
if (t) { a = 0; b = 0; e = 0; c = "0000"; f = 0.0; z = 0.0; one = false; h = 0; k = 1; t1 = 1;
  v = m[0] ++ m[1][0:0]; m[0] = m[1]; m[1] = m[0]; }
"""
LEAVES = (
    *("a", "b", "uint[8](e)", "v[0]", "v[-1]", "v[k]", "m[1, k]", "int[8](f)", "int[8](real(z))"),
    *("int[8](imag(z))", "popcount(c)", "uint[3](al)", "k", "2", "-3", "11"),
)
PLAIN = (
    *("e <<= 7;", "m[0] = m[1];", "m[k] = v[0:1];", "v[0:1] = m[k];", "v = v[1:2] ++ v[0:0];"),
    *("m[0:1, 1] = v[1:2];", 'al = "101";', "al = c[0:2];", "c[1:2] = al[0:1];", "f = f * 0.5 + 1.0;"),
    *("f += a;", "z = z * (0.0 + 1.0im);", "z += f;", "z = 1.0 + 2.0im;", "one = !one;", "f = 2.0;"),
    *("grow(v);", "g(a, b);", "k = 1 - k;", "h += pi / 4;", "if (h > pi) { h -= pi; }", "c[0] ^= one;"),
    *("f = bounded(f);",),
)


class Writer:
    """Writes statements by chance."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance

    def value(self, depth: int = 2) -> str:
        """Returns an expression of integers."""
        if depth == 0 or self.chance.random() < 0.3:
            return self.chance.choice(LEAVES)
        sign = self.chance.choice("+-*&^")
        return f"({self.value(depth - 1)} {sign} {self.value(depth - 1)})"

    def condition(self) -> str:
        """Returns an expression of type bool or bit."""
        compared = f"{self.value(1)} {self.chance.choice(['<', '==', '>='])} {self.value(1)}"
        others = [
            "c[0]",
            "al[1]",
            "one",
            f"{self.value(1)} in [0:5]",
            "c[k]",
            "f > 1.5 && one",
            "imag(z) == 2.0",
        ]
        return self.chance.choice([compared, *others])

    def block(self, depth: int, *, in_loop: bool) -> str:
        """Returns some statements."""
        return " ".join(self.statement(depth, in_loop=in_loop) for _ in range(self.chance.randint(1, 3)))

    def statement(self, depth: int, *, in_loop: bool) -> str:
        """Returns a statement, with others in it."""
        if depth and self.chance.random() < 0.45:
            return self._compound(depth, in_loop=in_loop)
        if in_loop and self.chance.random() < 0.15:
            return f"if ({self.condition()}) {self.chance.choice(['break', 'continue'])};"
        chance = self.chance
        return chance.choice(
            [
                f"a {chance.choice(['=', '+=', '-=', '^=', '*='])} {self.value()};",
                f"b = {self.value()};",
                f"e {chance.choice(['=', '+=', '^='])} {self.value()};",
                f"v[{chance.choice(['0', 'k', '-2', '1'])}] = {self.value()};",
                f"v[k][{chance.randrange(4)}] = {self.condition()};",
                f"c[{chance.choice(['0', 'k', '-1'])}] = {self.condition()};",
                f"al[{chance.choice(['0', 'k', '1', '2'])}] = {self.condition()};",
                f"h[{chance.randrange(4)}] = {self.condition()};",
                f"a = g(a, {self.value(1)});",
                *chance.sample(PLAIN, 5),
            ]
        )

    def _compound(self, depth: int, *, in_loop: bool) -> str:
        body, other = (self.block(depth - 1, in_loop=in_loop) for _ in range(2))
        turn = self.block(depth - 1, in_loop=True)
        stop = self.chance.choice(["0", "2", "k", "b & 3", "k + 1"])
        return self.chance.choice(
            [
                f"if ({self.condition()}) {{ {body} }}",
                f"if ({self.condition()}) {{ {body} }} else {{ {other} }}",
                f"for int i{depth} in [0:{stop}] {{ {turn} a += i{depth}; }}",
                f"for int[8] i{depth} in {{3, a, -1}} {{ {turn} b += i{depth}; }}",
                f"for int[8] i{depth} in v {{ {turn} a ^= i{depth}; }}",
                f"{{ uint[4] w{depth} = 0; while (w{depth} < 3 && {self.condition()}) "
                f"{{ w{depth} += 1; {turn} }} a += w{depth}; }}",
                f"switch (b & 3) {{ case 0, 2 {{ {body} }} case 1 {{ {other} }} default {{ {body} }} }}",
                f"{{ int[8] a = {self.value(1)}; let al = c[0:2]; {body} b += a; }}",
            ]
        )


def _outcome(text: str) -> object:
    """What a program gives; None when it is refused, or fails while it runs."""
    try:
        return outcomes(text, shots=1)
    except (ProgramFault, sim.SimulationFailed):
        return None


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1 << 64))
def test_a_run_does_what_is_folded(seed: int) -> None:
    chance = Random(seed)
    writer = Writer(chance)
    body = "\n".join(writer.statement(3, in_loop=False) for _ in range(chance.randint(1, 4)))
    folded, run = _outcome(HEAD + body), _outcome(HEAD + UNKNOWN + body)
    if folded is not None and run is not None:
        assert run == folded


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        # What is written before a jump that isn't taken is written where it isn't.
        ("while (a < 9) { a += 1; b = 13; if (a == 5) break; }", "a=00000101 b=01101"),
        ("while (a < 9) { a += 1; b = 13; if (a == 99) break; }", "a=00001001 b=01101"),
        ("for int i in [0:2] { b += 1; if (a in [4:9]) continue; a += 1; }", "a=00000100 b=01100"),
        # A set is evaluated before the loop.
        ("for int[8] i in {1, a, 5} { a += i; }", "a=00001100 b=01001"),
    ],
)
def test_examples(body: str, wanted: str) -> None:
    for between in ("", UNKNOWN):
        (outcome,) = outcomes(f"{HEAD}{between}{body}", shots=1)
        assert outcome.startswith(f"{wanted} ")
