"""Dropzones, the ERP behind them, and a log of every file that ever appeared."""
