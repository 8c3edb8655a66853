"""AWS Lambda: on a schedule, statements on the completeness of the hours that lack one."""
