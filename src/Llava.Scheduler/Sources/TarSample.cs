using System.Formats.Tar;
using System.Text.Json;
using Llava.Hosting.Paths;

namespace Llava.Scheduler.Sources;

/// <summary>The members of an archive that are one item: its images, and beside them texts and JSON as fields.</summary>
/// <param name="key">The part of the names that they share.</param>
/// <param name="path">The archive.</param>
internal sealed class TarSample(string key, string path)
{
    private readonly List<TarMember> _members = [];

    public string Key => key;

    /// <summary>Offset behind the last member.</summary>
    public long End => _members[^1].End;

    public void Add(TarMember member) => _members.Add(member);

    /// <summary>The item: <c>.json</c> gives fields and with <c>prompt</c> or <c>question</c> the prompt, any other text the field of its suffix.</summary>
    public ParsedRecord Parse()
    {
        Dictionary<string, string> fields = new(StringComparer.Ordinal);
        string? prompt = null;
        foreach (var member in _members.Where(member => member.Text is not null))
        {
            if (member.Suffix == "json")
            {
                using var json = JsonDocument.Parse(member.Text);
                prompt = json.RootElement.RequireObject().TextOf("prompt", "question");
                foreach (var (name, value) in json.RootElement.Fields())
                {
                    fields[name] = value;
                }
            }
            else
            {
                fields[member.Suffix] = RecordText.Decode(member.Text);
            }
        }

        List<string> images = [.. _members.Where(member => member.IsImage).Select(member => new ImageLocation(path, member.Offset, member.Length).ToString())];
        return images.Count > 0 || prompt is not null
            ? new(new(key, images, prompt), fields)
            : throw new FormatException($"'{key}' has no image, only {string.Join(", ", _members.Select(member => $"'.{member.Suffix}'"))}.");
    }
}

/// <summary>A file inside an archive.</summary>
/// <param name="Key">Its name up to the first dot.</param>
/// <param name="Suffix">What follows the first dot.</param>
/// <param name="Offset">First byte of its content in the archive.</param>
/// <param name="Length">Bytes of its content.</param>
/// <param name="End">Where the next member begins.</param>
/// <param name="Text">Its content where it is a text that may be a field.</param>
internal sealed record TarMember(string Key, string Suffix, long Offset, long Length, long End, byte[]? Text)
{
    private const int MaxText = 1024 * 1024;

    public bool IsImage => ImageFiles.IsImage($"x.{Suffix}");

    /// <summary>The key of a name; null where it is hidden or has no suffix.</summary>
    public static string? KeyOf(string name)
    {
        var start = name.LastIndexOf('/') + 1;
        var dot = name.IndexOf('.', start);
        return dot > start ? name[(name.StartsWith("./", StringComparison.Ordinal) ? 2 : 0)..dot] : null;
    }

    public static async Task<TarMember> ReadAsync(string key, TarEntry entry, long end, CancellationToken cancellation)
    {
        var suffix = entry.Name[(entry.Name.IndexOf('.', entry.Name.LastIndexOf('/') + 1) + 1)..];
        var isText = suffix is "json" or "txt" or "cls" && entry.Length <= MaxText && entry.DataStream is not null;
        var text = isText ? new byte[entry.Length] : null;
        if (text is not null)
        {
            await entry.DataStream!.ReadExactlyAsync(text, cancellation);
        }

        return new(key, suffix, entry.DataOffset, entry.Length, end, text);
    }
}
