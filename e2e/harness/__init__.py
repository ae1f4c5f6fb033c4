"""What the tests need around the real binary: processes, configurations, foreign clients and foreign servers."""
