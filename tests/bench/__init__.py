"""What the line costs against the floor of touching the bytes; `make bench`. No assertions."""
