"""Texts as people's editors and tools write them: line ends, marks, odd characters, other names of a file."""

from __future__ import annotations

import re
from typing import Any

import pytest
from basicaer.service.parsing import OPENQASM2, Parsers, Patience, ProgramFault, TakesLongError, openqasm2
from hypothesis import given, settings
from hypothesis import strategies as st

LINES = (
    "OPENQASM 2.0;",
    'include "qelib1.inc";',
    "// a comment; h q[0];",
    "qreg q[3]; creg c[3];",
    "gate own(t) a,b { rx(t) a; // within",
    "  cx a,b; }",
    " ",  # one that is empty would make one end of a return and a newline
    "h q[0]; // what follows it",
    "//",
    "own(0.3) q[0],q[1];",
    "\tif (c==2)",
    "x q[2];",
    "measure q -> c;",
    "// the end",
)
FAULTS = ("frob q[0];", "  h q[9];", "/* no */", "h", "\u00e9", "rx q[0];", "q[0] = 1;", "}")
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def shown_lines(text: str) -> list[str]:
    """The lines that an editor shows."""
    return re.split("\r\n|\r|\n", text)


@settings(max_examples=60, deadline=None)
@given(
    ends=st.lists(ENDS, min_size=len(LINES), max_size=len(LINES)), marked=st.booleans(), last=st.booleans()
)
def test_lines_may_end_in_any_way(circuit: Any, ends: list[str], marked: bool, last: bool) -> None:
    text = "".join(map("".join, zip(LINES, ends, strict=True)))
    text = ("\ufeff" if marked else "") + (text if last else text.rstrip())
    assert circuit(text) == circuit("\n".join(LINES))


@settings(max_examples=80, deadline=None)
@given(
    ends=st.lists(ENDS, min_size=len(LINES) + 1, max_size=len(LINES) + 1),
    marked=st.booleans(),
    fault=st.sampled_from(FAULTS),
    at=st.integers(4, len(LINES)),
)
def test_positions_are_those_of_an_editor(
    circuit: Any, refused: Any, ends: list[str], marked: bool, fault: str, at: int
) -> None:
    if at == 5 or LINES[at - 1].endswith("(c==2)"):
        at = 4  # not amid a definition or a statement
    lines = [*LINES[:at], fault, *LINES[at:]]
    plain = refused("\n".join(lines))
    text = "".join(map("".join, zip(lines, ends, strict=True)))
    found = refused(("\ufeff" if marked else "") + text)
    assert (found.message, found.where) == (plain.message, plain.where)
    assert found.where.line >= at + 1
    assert found.where.excerpt.split("\n")[1][2:] in shown_lines(text)[found.where.line - 1].replace(
        "\t", " "
    )


@pytest.mark.parametrize("end", ["\v", "\f", "\x85", "\u2028", "\u2029"])
def test_no_statement_is_lost_in_a_comment(circuit: Any, refused: Any, end: str) -> None:
    fault = refused(f"qreg q[1];\n // one{end}U(1,2,3) q[0];\n")
    assert f"U+{ord(end):04X}" in fault.message
    assert (fault.where.line, fault.where.column) == (2, 8)
    # Where nothing follows, nothing is lost.
    assert len(circuit(f"qreg q[1];\n// one{end} \r\nU(1,2,3) q[0];").body.operations) == 1


@pytest.mark.parametrize(
    ("character", "words"),
    [
        ("\0", "'U+0000'"),
        ("\x1b", "'U+001B'"),
        ("\x7f", "'U+007F'"),
        ("\f", "'U+000C', which doesn't match any valid tokens; write a space, or a newline"),
        ("\v", "write a space, or a newline"),
        ("\x85", "(U+0085), which can stand in comments alone; end lines with a newline"),
        ("\u2028", "(U+2028, line separator), which can stand in comments alone; end lines with a newline"),
        ("\u00a0", "(U+00A0, no-break space), which can stand in comments alone; write a space"),
        ("\u200b", "(U+200B, zero width space)"),
        ("\u202e", "(U+202E, right-to-left override)"),
        ("\ufeff", "(U+FEFF, zero width no-break space)"),
        ("\u03c0", "write pi"),
        ("\U0001f600", "'\U0001f600' (U+1F600, grinning face)"),
    ],
)
def test_odd_characters_are_named_and_never_shown_raw(refused: Any, character: str, words: str) -> None:
    fault = refused(f"qreg q[1];\nU(1,2,3) {character}q[0];")
    assert words in fault.message
    assert (fault.where.line, fault.where.column) == (2, 10)
    shown = fault.to_service_error(0, "openqasm2").message
    assert all(each.isprintable() or each == "\n" for each in shown)


@pytest.mark.parametrize("written", ['"qelib1.inc"', '"./qelib1.inc"', '"././qelib1.inc"', '".\\qelib1.inc"'])
def test_the_usual_file_beside_the_program(circuit: Any, refused: Any, written: str) -> None:
    head = f"OPENQASM 2.0;\ninclude {written} ;\nqreg q[1]; h q[0];"
    assert [each.name for each in circuit(head).operations] == ["h"]
    assert refused(f"{head} frob q[0];").where.column == 20
    quoted = written.replace('"', "'")
    assert circuit(head.replace(written, quoted)) == circuit(head)
    assert "qelib1.inc" in refused(f"qreg q[1]; // include {written};\nh q[0];").message


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("../qelib1.inc", 'if it is the usual file, write include "qelib1.inc";'),
        ("/usr/share/qelib1.inc", 'if it is the usual file, write include "qelib1.inc";'),
        ("./other.inc", 'only include "qelib1.inc"; and the same with hqslib1.inc are known'),
        ("xqelib1.inc", 'only include "qelib1.inc"'),
        ("stdgates.inc", "is OpenQASM 3"),
    ],
)
def test_another_file_is_told_by_what_it_is(refused: Any, written: str, words: str) -> None:
    fault = refused(f'OPENQASM 2.0;\ninclude "{written}";\nqreg q[1];')
    assert words in fault.message
    assert (fault.where.line, fault.where.column) == (2, 9)


IDLE = ["", " \r\n\t", "// h q[0];", "OPENQASM 2.0;", 'OPENQASM 2.0;\rinclude "qelib1.inc";\r', ";;"]
DECLARING = [
    "qreg q[2]; creg c[2];",
    "gate g a { U(1,2,3) a; }\nqreg q[1];\n// g q[0];",
    'include "qelib1.inc"; opaque o a; qreg q[1];',
]
BUSY = [
    "gate g a { } qreg q[1]; g q[0];",
    "qreg q[0]; barrier q;",
    "qreg q[1]; barrier q;",
    "qreg q[1]; reset q;",
]


@pytest.mark.parametrize("long", [False, True], ids=["in the thread", "in a process"])
def test_a_text_that_does_nothing_is_known(long: bool) -> None:
    parsers = Parsers(1, 1 << 30)
    try:
        for text in (*IDLE, *DECLARING, *BUSY):
            padded = text + (" " * 50_000 if long else "")
            parsed = parsers.parse(
                OPENQASM2, padded, max_bytes=1 << 20, max_instructions=10, patience=Patience()
            )
            assert parsed.is_idle == (text not in BUSY), text
    finally:
        parsers.close()


def test_the_most_digits_are_no_trouble(refused: Any, circuit: Any) -> None:
    digits = "9" * 5000
    for text in (f"qreg q[{digits}];", f"creg c[{digits}];", f"qreg q[2]; U(1,2,3) q[{digits}];"):
        assert refused(text).metadata["limit"] == "max_bits"
        with pytest.raises((ProgramFault, TakesLongError)):
            openqasm2.parse_at_once(text, max_bytes=1 << 20, max_instructions=10)
    for version in (digits, f"{digits}.0", f"2.{digits}"):
        fault = refused(f"OPENQASM {version};\nqreg q[1];")
        assert fault.message == "can only handle OpenQASM 2.0"
        assert (fault.where.line, fault.where.column) == (1, 10)
    circuit(f"qreg q[1]; creg c[1]; if (c=={digits}) U(1,2,3) q[0];")


@pytest.mark.parametrize(
    "text",
    [
        "{} q[0];",
        "qreg q[1]; {}(1) q[0];",
        "qreg {}[1]; qreg {}[1];",
        "gate {} a {{ }} gate {} a {{ }}",
        'include "{}";',
        "opaque {} a; qreg q[1]; {} q[0];",
        "qreg q[1]; U({},0,0) q[0];",
    ],
)
def test_messages_quote_a_part_of_a_long_name(refused: Any, text: str) -> None:
    error = refused(text.replace("{{", "{").replace("}}", "}").replace("{}", "n" * 10_000)).to_service_error(
        0, "openqasm2"
    )
    assert len(error.message) < 600
    assert "n" * 50 in error.message


@pytest.mark.parametrize("blanks", ["\u2028", " \u2028\u2028", "\t\t\u2028\x1c", "\x85 \f"])
def test_a_fault_among_the_blanks_at_a_lines_end_is_shown(refused: Any, blanks: str) -> None:
    where = refused(f"qreg q[1];\ncreg{blanks}\n").where
    assert where.line == 2
    assert len(where.excerpt.split("\n")[2]) == where.column + 2
    assert len(where.excerpt.split("\n")[1]) >= where.column + 1
