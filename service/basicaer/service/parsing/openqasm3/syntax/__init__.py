"""OpenQASM 3 text to statements: `_lexer` finds tokens, `_parser` makes of them what `_tree` describes.

Only `openqasm3` itself may import this.
"""
