using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Llava.Contracts;

/// <summary>
/// A job's identity: 42 bits of Unix milliseconds, then 21 random bits. Sorts by creation, needs no database to be
/// drawn, fits a <c>bigint</c>, and is written as <c>job_</c> and 13 digits of Crockford's base 32.
/// </summary>
/// <param name="Value">The 63-bit number that the ledger stores.</param>
[JsonConverter(typeof(JobIdConverter))]
public readonly record struct JobId(long Value) : IComparable<JobId>, ISpanParsable<JobId>
{
    private const string Prefix = "job_";
    private const string Digits = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int DigitCount = 13;
    private const int RandomBits = 21;

    /// <summary>Draws an identity for a job created at <paramref name="time"/>.</summary>
    public static JobId New(DateTimeOffset time) =>
        new((time.ToUnixTimeMilliseconds() << RandomBits) | (uint)RandomNumberGenerator.GetInt32(1 << RandomBits));

    /// <inheritdoc/>
    public override string ToString() => string.Create(Prefix.Length + DigitCount, Value, static (text, value) =>
    {
        Prefix.CopyTo(text);
        for (var at = text.Length - 1; at >= Prefix.Length; at--, value >>= 5)
        {
            text[at] = Digits[(int)(value & 31)];
        }
    });

    /// <inheritdoc/>
    public int CompareTo(JobId other) => Value.CompareTo(other.Value);

    /// <summary>Reads what <see cref="ToString"/> wrote; upper case is understood.</summary>
    /// <exception cref="FormatException">The text is not a job id.</exception>
    public static JobId Parse(ReadOnlySpan<char> s, IFormatProvider? provider = null) => TryParse(s, provider, out var id)
        ? id
        : throw new FormatException($"'{s}' is not a job id; one looks like '{new JobId(1L << 60)}'.");

    /// <inheritdoc cref="Parse(ReadOnlySpan{char}, IFormatProvider?)"/>
    public static JobId Parse(string s, IFormatProvider? provider = null) => Parse(s.AsSpan(), provider);

    /// <inheritdoc/>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out JobId result)
    {
        result = default;
        if (s.Length != Prefix.Length + DigitCount || !s.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        long value = 0;
        foreach (var letter in s[Prefix.Length..])
        {
            var digit = Digits.IndexOf(char.ToLowerInvariant(letter), StringComparison.Ordinal);
            if (digit < 0 || value > long.MaxValue >> 5)
            {
                return false;
            }

            value = (value << 5) | (uint)digit;
        }

        result = new(value);
        return true;
    }

    /// <inheritdoc/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out JobId result) => TryParse(s.AsSpan(), provider, out result);

    /// <inheritdoc/>
    public static bool operator <(JobId left, JobId right) => left.Value < right.Value;

    /// <inheritdoc/>
    public static bool operator >(JobId left, JobId right) => left.Value > right.Value;

    /// <inheritdoc/>
    public static bool operator <=(JobId left, JobId right) => left.Value <= right.Value;

    /// <inheritdoc/>
    public static bool operator >=(JobId left, JobId right) => left.Value >= right.Value;
}

internal sealed class JobIdConverter : JsonConverter<JobId>
{
    public override JobId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        JobId.TryParse(reader.GetString(), null, out var id) ? id : throw new JsonException("A job id was expected.");

    public override void Write(Utf8JsonWriter writer, JobId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
