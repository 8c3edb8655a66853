"""The AWS CLI's own validator of log files, as a second opinion on digest chains."""
