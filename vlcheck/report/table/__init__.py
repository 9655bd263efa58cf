"""The verdicts of a run as a table: a row for each verdict, for programs, spreadsheets and the page's download."""

from vlcheck.report.table.columns import COLUMNS, column_cells, table_rows
from vlcheck.report.table.file import FORMATS, check_table_path, csv_text, write_table

__all__ = ["COLUMNS", "FORMATS", "check_table_path", "column_cells", "csv_text", "table_rows", "write_table"]
