namespace Llava.Cli.Output;

/// <summary>What of an interrupted file of lines is whole.</summary>
internal static class WholeRecords
{
    /// <summary>Bytes up to the end of the last whole record, and how many results they hold.</summary>
    public static (long Length, int Results) In(Stream file, OutputFormat format)
    {
        var isCsv = format == OutputFormat.Csv;
        var buffer = new byte[128 * 1024];
        var (offset, length, records, isQuoted) = (0L, 0L, 0, false);
        for (var count = file.Read(buffer); count > 0; count = file.Read(buffer))
        {
            for (var i = 0; i < count; i++, offset++)
            {
                // Inside quotes a line feed is text; a quote that is text stands twice and changes nothing.
                isQuoted ^= isCsv && buffer[i] == '"';
                if (buffer[i] == '\n' && !isQuoted)
                {
                    (length, records) = (offset + 1, records + 1);
                }
            }
        }

        return (length, isCsv ? Math.Max(0, records - 1) : records);
    }
}
