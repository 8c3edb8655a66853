"""The story and the stage of `nhi-evidence demo`. Never in a bundle."""
