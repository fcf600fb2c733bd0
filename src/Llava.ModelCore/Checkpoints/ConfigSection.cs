using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;

namespace Llava.ModelCore.Checkpoints;

/// <summary>
/// One object of a JSON config. A field that is null counts as absent. Every refusal names the file, the field, the value
/// found and what would be right.
/// </summary>
internal sealed class ConfigSection
{
    private readonly string _prefix;
    private readonly JsonElement _element;

    private ConfigSection(string file, string prefix, JsonElement element) => (File, _prefix, _element) = (file, prefix, element);

    public string File { get; }

    /// <exception cref="CheckpointException">The file is missing or not a JSON object.</exception>
    public static ConfigSection Read(string file)
    {
        try
        {
            using var json = JsonDocument.Parse(System.IO.File.ReadAllBytes(file));
            return json.RootElement.ValueKind == JsonValueKind.Object
                ? new ConfigSection(file, "", json.RootElement.Clone())
                : throw new CheckpointException($"'{file}' holds {json.RootElement.ValueKind}; a config is a JSON object.");
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"'{file}' is not JSON: {e.Message}", e);
        }
        catch (IOException e)
        {
            throw new CheckpointException($"'{file}' cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Whether it has no fields.</summary>
    public bool IsEmpty => !_element.EnumerateObject().Any();

    public bool Has(string name) => TryGet(name, out _);

    public bool IsText(string name) => TryGet(name, out var value) && value.ValueKind == JsonValueKind.String;

    /// <summary>A whole number in a range; the default when absent.</summary>
    public int Integer(string name, int absent, int min = 1, int max = int.MaxValue) => OptionalInteger(name, min, max) ?? absent;

    public int? OptionalInteger(string name, int min = 1, int max = int.MaxValue)
    {
        if (!TryGet(name, out var value))
        {
            return null;
        }

        // Python's json writes 2048.0 for a float that happens to be whole.
        return value.ValueKind == JsonValueKind.Number && value.GetDouble() is var number
            && number == Math.Floor(number) && number >= min && number <= max
            ? (int)number
            : throw Wrong(name, value, $"a whole number from {min} to {max}");
    }

    public double Number(string name, double absent, double min, double max) => OptionalNumber(name, min, max) ?? absent;

    public double? OptionalNumber(string name, double min, double max)
    {
        if (!TryGet(name, out var value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.GetDouble() is var number && number >= min && number <= max
            ? number
            : throw Wrong(name, value, string.Create(CultureInfo.InvariantCulture, $"a number from {min} to {max}"));
    }

    public bool Boolean(string name, bool absent) => !TryGet(name, out var value) ? absent : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(name, value, "true or false"),
    };

    public string? Text(string name) => !TryGet(name, out var value) ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString() : throw Wrong(name, value, "a string");

    /// <summary>A string that must be one of a few; null when absent.</summary>
    public string? Choice(string name, params string[] choices)
    {
        var text = Text(name);
        return text is null || choices.Contains(text) ? text : throw Wrong(name, $"one of {string.Join(", ", choices)}");
    }

    /// <summary>A whole number or a list of them; empty when absent.</summary>
    public IReadOnlyList<int> Integers(string name)
    {
        if (!TryGet(name, out var value))
        {
            return [];
        }

        var items = value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().ToArray() : [value];
        return [.. items.Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var number)
            ? number
            : throw Wrong(name, value, "a whole number or a list of whole numbers"))];
    }

    public IReadOnlyList<string> Texts(string name) => TryGet(name, out var value) && value.ValueKind == JsonValueKind.Array
        ? [.. value.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!)]
        : [];

    public ConfigSection? Section(string name) => !TryGet(name, out var value) ? null
        : value.ValueKind == JsonValueKind.Object ? new ConfigSection(File, $"{_prefix}{name}.", value) : throw Wrong(name, value, "an object");

    /// <summary>An error about a field's value.</summary>
    /// <param name="name">The field.</param>
    /// <param name="right">What would be right.</param>
    public CheckpointException Wrong(string name, string right) =>
        new($"'{File}': {_prefix}{name} is {(TryGet(name, out var value) ? value.GetRawText() : "absent")}; it must be {right}.");

    private CheckpointException Wrong(string name, JsonElement value, string right) =>
        new($"'{File}': {_prefix}{name} is {value.GetRawText()}; it must be {right}.");

    private bool TryGet(string name, [NotNullWhen(true)] out JsonElement value) =>
        _element.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;
}
