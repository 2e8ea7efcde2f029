"""When things happen: cron expressions, their words and their next run."""
