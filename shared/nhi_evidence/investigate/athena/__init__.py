"""The evidence as it lies, asked by Athena: tables over objects, and the local views."""
