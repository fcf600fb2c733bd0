using System.Diagnostics.CodeAnalysis;
using Llava.ModelCore.Native;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints.Quantized;

/// <summary>
/// Weights that bitsandbytes quantized and saved, as the numbers that they stand for: NF4 and FP4 by the code book beside them (Dettmers et al. 2023),
/// int8 by the largest magnitude of each row (LLM.int8(), Dettmers et al. 2022). Whoever reads sees ordinary tensors. Owns the source.
/// </summary>
internal sealed class BitsAndBytesTensors : ITensorSource
{
    private const string StateInfix = ".quant_state.bitsandbytes__";
    private const string RowScales = ".SCB";
    private const string Weight = ".weight";

    private readonly ITensorSource _source;
    private readonly Dictionary<string, FourBitState> _fourBit = [];
    private readonly Dictionary<string, TensorEntry> _entries = new(StringComparer.Ordinal);

    private BitsAndBytesTensors(ITensorSource source)
    {
        _source = source;
        foreach (var entry in source.Entries.Where(entry => entry.Name.Contains(StateInfix, StringComparison.Ordinal)))
        {
            _fourBit[entry.Name[..entry.Name.IndexOf(StateInfix, StringComparison.Ordinal)]] = FourBitState.Read(source, entry.Name);
        }

        foreach (var entry in source.Entries.Where(entry => !IsBeside(entry.Name)))
        {
            _entries[entry.Name] = _fourBit.TryGetValue(entry.Name, out var state) ? new(entry.Name, state.Type, state.Shape)
                : ScalesOf(entry.Name) is null ? entry
                : entry with { Type = ScalarType.Float16 };
        }
    }

    public string Path => _source.Path;

    public IReadOnlyCollection<TensorEntry> Entries => _entries.Values;

    /// <summary>The source itself where nothing of it is bitsandbytes'.</summary>
    /// <exception cref="CheckpointException">What stands beside a weight cannot be understood.</exception>
    public static ITensorSource Over(ITensorSource source)
    {
        if (!source.Entries.Any(entry => entry.Name.Contains(StateInfix, StringComparison.Ordinal) || entry.Name.EndsWith(RowScales, StringComparison.Ordinal)))
        {
            return source;
        }

        try
        {
            return new BitsAndBytesTensors(source);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    public bool TryGetEntry(string name, [NotNullWhen(true)] out TensorEntry? entry) => _entries.TryGetValue(name, out entry);

    public Tensor Read(string name)
    {
        using var scope = NewDisposeScope();
        var stored = _source.Read(name);
        var value = _fourBit.TryGetValue(name, out var state) ? state.Dequantize(stored, part => _source.Read(name + part))
            : ScalesOf(name) is { } scales ? RowsOf(name, stored, _source.Read(scales)).to(ScalarType.Float16)
            : stored;
        return value.MoveToOuterDisposeScope();
    }

    public void Dispose() => _source.Dispose();

    /// <summary>int8 (rows, columns) and the largest magnitudes float32 (rows) → float32: code · magnitude / 127.</summary>
    public static Tensor RowsOf(Tensor codes, Tensor magnitudes) => codes.to(ScalarType.Float32).mul(magnitudes.view(-1, 1).div(Scalars.Of(127)));

    private Tensor RowsOf(string name, Tensor codes, Tensor magnitudes) => codes.dtype == ScalarType.Int8 && codes.shape is [var rows, _] && magnitudes.NumberOfElements == rows
        ? RowsOf(codes, magnitudes)
        : throw new CheckpointException($"'{Path}': '{name}' is {codes.dtype} of shape [{string.Join(", ", codes.shape)}] with {magnitudes.NumberOfElements} scales; bitsandbytes' int8 has one for each row. Load the unquantized checkpoint.");

    private static bool IsBeside(string name) => name.Contains(Weight + ".", StringComparison.Ordinal)
        || name.EndsWith(RowScales, StringComparison.Ordinal) || name.EndsWith(".weight_format", StringComparison.Ordinal);

    /// <summary>Name of the magnitudes of a weight's rows; null where it has none.</summary>
    private string? ScalesOf(string name) =>
        name.EndsWith(Weight, StringComparison.Ordinal) && name[..^Weight.Length] + RowScales is var scales && _source.TryGetEntry(scales, out _) ? scales : null;
}
