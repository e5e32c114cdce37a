"""What came out of a job, in every form that a command gives it: lines, JSON, arrays in a file, a picture.

`_follow` and the commands call what is named below; `picture_option` refuses what can't be drawn before a job
is sent. Plotting is imported when a picture is asked for.
"""

from basicaer.service.cli.results._arrays import save_arrays
from basicaer.service.cli.results._dict import result_dict
from basicaer.service.cli.results._lines import result_lines
from basicaer.service.cli.results._picture import picture_option, save_picture

__all__ = ["picture_option", "result_dict", "result_lines", "save_arrays", "save_picture"]
