using System.Globalization;
using System.Text.Json;

namespace Llava.Dashboard.OpenAi.Files;

/// <summary><c>expires_after</c>: how long after its creation a file is there.</summary>
/// <param name="Anchor">What is counted from; only <c>created_at</c>.</param>
/// <param name="Seconds">How long, in seconds.</param>
internal sealed record FileExpiry(string? Anchor, long? Seconds)
{
    private const string OnlyAnchor = "created_at";

    private const int LeastSeconds = 3600;

    private const int MostSeconds = 2_592_000;

    /// <summary>What the form field <c>expires_after[anchor]</c> says.</summary>
    public static FileExpiry WithAnchor(FileExpiry? before, string anchor) => new(anchor, before?.Seconds);

    /// <summary>What the form field <c>expires_after[seconds]</c> says.</summary>
    public static FileExpiry WithSeconds(FileExpiry? before, string seconds) =>
        long.TryParse(seconds, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? new(before?.Anchor, number)
            : throw Wrong("expires_after[seconds]", seconds);

    /// <summary>What the form field <c>expires_after</c> says, which is JSON.</summary>
    public static FileExpiry OfJson(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, FileJson.Default.FileExpiry) ?? throw Wrong("expires_after", json);
        }
        catch (JsonException)
        {
            throw Wrong("expires_after", json);
        }
    }

    /// <summary>How long the file is there.</summary>
    /// <exception cref="OpenAiException">It is more or less than may be.</exception>
    public TimeSpan Lifetime() =>
        Anchor is not OnlyAnchor ? throw Wrong("expires_after[anchor]", Anchor)
        : Seconds is >= LeastSeconds and <= MostSeconds ? TimeSpan.FromSeconds(Seconds.Value)
        : throw Wrong("expires_after[seconds]", Seconds?.ToString(CultureInfo.InvariantCulture));

    private static OpenAiException Wrong(string field, string? value) => OpenAiException.Invalid(
        "invalid_value", $"'{field}' is '{value}'; give the anchor '{OnlyAnchor}' and from {LeastSeconds} to {MostSeconds} seconds.", field);
}
