using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>MPT's <c>Wqkv</c>, whose rows are those of query, key and value, as the three tensors that it is made of (spec 1.4.2). Owns the source.</summary>
internal sealed class FusedProjections(ITensorSource source) : ITensorSource
{
    /// <summary>What the three are called in the fused one's place.</summary>
    public static IReadOnlyList<string> Parts { get; } = ["q_proj.weight", "k_proj.weight", "v_proj.weight"];

    /// <summary>End of the fused tensor's name.</summary>
    public const string Fused = "Wqkv.weight";

    public string Path => source.Path;

    public IReadOnlyCollection<TensorEntry> Entries => [.. source.Entries.SelectMany(entry =>
        entry.Name.EndsWith(Fused, StringComparison.Ordinal) ? Parts.Select(part => Part(entry, part)) : [entry])];

    public bool TryGetEntry(string name, [NotNullWhen(true)] out TensorEntry? entry)
    {
        entry = FusedName(name) is { } fused
            ? source.TryGetEntry(fused, out var whole) ? Part(whole, Parts[IndexOf(name)]) : null
            : source.TryGetEntry(name, out var plain) ? plain : null;
        return entry is not null;
    }

    public Tensor Read(string name)
    {
        if (FusedName(name) is not { } fused)
        {
            return source.Read(name);
        }

        using var whole = source.Read(fused);
        using var part = whole.narrow(0, whole.shape[0] / Parts.Count * IndexOf(name), whole.shape[0] / Parts.Count);
        return part.clone();
    }

    public void Dispose() => source.Dispose();

    /// <summary>The fused tensor that a part's name belongs to; null for any other name.</summary>
    public static string? FusedName(string name) => IndexOf(name) is >= 0 and var part ? name[..^Parts[part].Length] + Fused : null;

    private static int IndexOf(string name) => Parts.ToList().FindIndex(part => name.EndsWith(".attn." + part, StringComparison.Ordinal));

    private static TensorEntry Part(TensorEntry fused, string part) =>
        new(fused.Name[..^Fused.Length] + part, fused.Type, [fused.Shape[0] / Parts.Count, .. fused.Shape.Skip(1)]);
}
