using System.Globalization;

namespace Llava.Scheduler.Sources;

/// <summary>A record of a text file as its bytes.</summary>
/// <param name="Bytes">Its text without surrounding blanks; valid until the next record is asked for.</param>
/// <param name="Offset">Where in the file the text begins.</param>
/// <param name="Number">Counted from 1.</param>
/// <param name="Position">Where reading goes on after it.</param>
internal readonly record struct TextRecord(ReadOnlyMemory<byte> Bytes, long Offset, int Number, string Position);

/// <summary>Where reading goes on: the offset of the next byte and the number of the last record.</summary>
internal readonly record struct RecordPosition(long Offset, int Number)
{
    public static RecordPosition Parse(string? text) => text?.Split(':') is [var offset, var number]
        ? new(long.Parse(offset, CultureInfo.InvariantCulture), int.Parse(number, CultureInfo.InvariantCulture))
        : default;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Offset}:{Number}");
}
