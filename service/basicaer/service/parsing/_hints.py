"""What an error of Qiskit's parser means, and what to do about it."""

from __future__ import annotations

import difflib
import re
import unicodedata

from basicaer.client.conversion.from_qiskit import ConversionError
from basicaer.service.parsing._faults import Where
from basicaer.service.parsing._gates import names_of_classes, names_of_gates
from basicaer.service.parsing._source import HQSLIB1, HQSLIB1_NAMES, QELIB1, Source
from basicaer.service.parsing._version3 import find_sign

__all__ = ["describe", "explain"]

_UNDEFINED = re.compile(r"'(\w+)' is not (?:a parameter or custom instruction )?defined in this scope")
_NOT_YET = re.compile(r"cannot use non-builtin custom instruction ('\w+') before definition")
_DEFINED = re.compile(r"'(\w+)' is already defined$")
_UNKNOWN_BYTE = re.compile(r"encountered a non-ASCII byte: \w+")
_UNKNOWN_FILE = re.compile(r"unable to find '(.*)' in the include search path", re.DOTALL)
_MISSING = re.compile(r"(\w+)(?:\.__init__)?\(\) missing \d+ required positional argument")
_INCLUDE = f'include "{QELIB1}";'
# A name is quoted up to here.
_LONGEST_NAME = 100
_QUOTED = re.compile(rf"(?<=')([^'\n]{{{_LONGEST_NAME}}})[^'\n]+(?=')")


def explain(error: BaseException, source: Source, place: Where | None) -> str:
    """Return what an error without a position means."""
    return _with_version(source.in_its_words(_shortened(_explain(error, source, place))), source)


def describe(message: str, source: Source, offset: int) -> str:
    """Return what an error at a character of the code means, and what to do about it, if that can be told."""
    message = _NOT_YET.sub(r"\1 is not defined in this scope", message)
    if _UNKNOWN_BYTE.match(message) and offset < len(source.text):
        return _with_version(_unknown_character(source.text[offset]), source)
    shown = "".join(
        each if each.isprintable() or each in "\n\t" else f"U+{ord(each):04X}" for each in _shortened(message)
    )
    return _with_version(source.in_its_words(shown) + _hint(message, source, offset), source)


def _with_version(message: str, source: Source) -> str:
    sign = find_sign(source)
    if sign is None:
        return message
    # What to do about it as OpenQASM 2 would only mislead.
    return (
        f"{message.partition('; ')[0]}; {sign.words!r} in line {sign.line} is OpenQASM 3, and this "
        "was sent as OpenQASM 2: send it as openqasm3, with 'OPENQASM 3.0;' as its first statement"
    )


def _shortened(message: str) -> str:
    return _QUOTED.sub(r"\1…", message)


def _unknown_character(character: str) -> str:
    shown = f", {character!r}" if character.isprintable() else ""
    name = unicodedata.name(character, "").lower()
    known = f"U+{ord(character):04X}{f', {name}' if name else ''}"
    cure = ""
    if character == "\N{GREEK SMALL LETTER PI}":
        cure = "; write pi"
    elif character in "\x85\u2028\u2029":
        cure = "; end lines with a newline"
    elif character.isspace():
        cure = "; write a space"
    return f"encountered a non-ASCII character{shown} ({known}), which can stand in comments alone{cure}"


def _explain(error: BaseException, source: Source, place: Where | None) -> str:
    message = str(getattr(error, "message", error))
    missing = _MISSING.match(message)
    if missing is not None:
        name = names_of_classes().get(missing[1], "")
        name = "U" if name == "u" and not re.search(r"\bu\b", source.blanked) else name
        gate = f"the gate {name!r}" if name else "a gate with parameters"
        return f"{gate} is called without its parameters"
    if message == "gate parameter index out of range":
        return "a gate with parameters is called without its parameters"
    if type(error).__name__ == "PanicException":
        return "a number is too large"
    if isinstance(error, ConversionError):
        return str(error) if place is None else message
    if isinstance(error, ValueError | ArithmeticError) or type(error).__module__.startswith("qiskit"):
        return message
    return f"Qiskit's parser can't read this ({type(error).__name__}: {message})"


def _hint(message: str, source: Source, offset: int) -> str:
    """Return what to do about it, if that can be told."""
    undefined = _UNDEFINED.search(message)
    if undefined is not None:
        return _where_defined(undefined[1], source, offset)
    defined = _DEFINED.search(message)
    if defined is not None:
        return _why_defined(defined[1], source)
    file = _UNKNOWN_FILE.search(message)
    if file is not None:
        return _what_file(file[1])
    if message.startswith("can only handle OpenQASM 2.0"):
        return "; write the program in OpenQASM 2.0, or send it as openqasm3"
    if message.startswith("identifiers cannot start with capital") and source.includes_hqslib1:
        return f"; of such names in {HQSLIB1} these are known: {', '.join(HQSLIB1_NAMES)}"
    if source.text[offset : offset + 1] in tuple("\v\f"):
        return "; write a space, or a newline"
    if message.startswith("needed a start-of-statement token, but instead got /"):
        return "; comments begin with //" if source.code.startswith("/*", offset) else ""
    return ""


def _where_defined(name: str, source: Source, offset: int) -> str:
    later = re.compile(rf"\b(?:gate|opaque|qreg|creg)\s+{name}\b").search(source.blanked, offset)
    if later is not None:
        return f"; it is defined later, in line {source.at(later.start()).line}"
    included = re.search(r"\binclude\b", source.blanked) is not None
    if name in names_of_gates() and not included:
        return f"; the gates of Qiskit need {_INCLUDE}"
    if name in ("tau", "euler"):
        return "; the one constant of OpenQASM 2 is pi"
    declared = {each.name for each in source.declarations}
    if name in declared:
        return "; a gate's definition sees its own qubits and parameters, and the gates that stand before it"
    known = (declared | (names_of_gates() if included else set())) - {name}
    close = difflib.get_close_matches(name[:_LONGEST_NAME], sorted(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _why_defined(name: str, source: Source) -> str:
    if name in ("U", "CX"):
        return ": it is a part of OpenQASM 2 itself; give your gate another name"
    if name in names_of_gates() and re.search(r"\binclude\b", source.blanked):
        return (
            f": {QELIB1} has it; give yours another name, or define all that you use instead of including it"
        )
    return ""


def _what_file(name: str) -> str:
    if re.search(r"(?:^|[/\\])qelib1\.inc$", name):
        return f"; if it is the usual file, write {_INCLUDE}, and else put its text into the program"
    return f"; only {_INCLUDE} and the same with {HQSLIB1} are known, so put the file's text into the program"
