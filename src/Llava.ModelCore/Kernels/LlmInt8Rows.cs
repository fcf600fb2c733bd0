using System.Runtime.Intrinsics;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels;

/// <summary>
/// Activations as LLM.int8() rounds them (Dettmers et al. 2022, as bitsandbytes does it): outliers, whose magnitude reaches a threshold, stand apart with their
/// columns, and of what is left the largest magnitude of a token becomes ±127. Here each token has its own columns apart, so that its numbers depend on
/// nothing beside it.
/// </summary>
/// <param name="maxTokens">Tokens of the largest pass.</param>
/// <param name="maxColumns">Columns of the widest input.</param>
/// <param name="threshold">Where outliers begin; 0 for none.</param>
internal sealed unsafe class LlmInt8Rows(int maxTokens, int maxColumns, float threshold) : IDisposable
{
    private readonly NativeBuffer<float> _largest = new(maxTokens);
    private readonly NativeBuffer<uint> _apart = new((long)maxTokens * Panel.Groups(maxColumns));
    private readonly int _groups = Panel.Groups(maxColumns);
    private readonly float _threshold = threshold > 0 ? threshold : float.PositiveInfinity;

    /// <summary>What a token's integers are multiplied by.</summary>
    public float ScaleOf(int token) => RowRounding.Scale(_largest.Start[token]);

    /// <summary>The columns of a token that stand apart, a bit for each; those behind the token's last are zero.</summary>
    public uint* ApartOf(int token) => _apart.Start + ((long)token * _groups);

    /// <summary>Finds a token's columns that stand apart and the largest magnitude of the others; different tokens may be looked at by different threads.</summary>
    /// <param name="token">Which of the pass.</param>
    /// <param name="values">Columns of the token; up to a vector behind the last is read.</param>
    /// <param name="columns">How many.</param>
    public void Separate(int token, float* values, int columns)
    {
        var apart = ApartOf(token);
        var (limit, largest) = (Vector512.Create(_threshold), Vector512<float>.Zero);
        for (var group = 0; group < Panel.Groups(columns); group++)
        {
            var (low, high) = Group(values, columns, group);
            var (lowApart, highApart) = (Vector512.GreaterThanOrEqual(Vector512.Abs(low), limit), Vector512.GreaterThanOrEqual(Vector512.Abs(high), limit));
            apart[group] = (uint)(lowApart.ExtractMostSignificantBits() | (highApart.ExtractMostSignificantBits() << Panel.Lanes));
            largest = Vector512.Max(largest, Vector512.Max(Vector512.AndNot(Vector512.Abs(low), lowApart), Vector512.AndNot(Vector512.Abs(high), highApart)));
        }

        _largest.Start[token] = Lanes.Largest(largest);
    }

    /// <summary>Rounds a token whose columns have been separated.</summary>
    /// <param name="token">Which of the pass.</param>
    /// <param name="tokens">Tokens of the pass.</param>
    /// <param name="values">Columns of the token; up to a vector behind the last is read.</param>
    /// <param name="columns">How many.</param>
    /// <param name="records">Get the integers; a scale of one stands beside them.</param>
    public void Round(int token, int tokens, float* values, int columns, QuantizedRows records)
    {
        var levels = Vector512.Create(RowRounding.Levels(_largest.Start[token]));
        var apart = ApartOf(token);
        var record = records.RecordAt(token, WeightFormat.LlmInt8);
        for (var group = 0; group < Panel.Groups(columns); group++)
        {
            var (low, high) = Group(values, columns, group);
            QuantizedRows.Store(record, Rounded(low, apart[group]), Rounded(high, apart[group] >> Panel.Lanes), 1, WeightFormat.LlmInt8);
            record += (long)tokens * QuantizedRows.RecordBytes(WeightFormat.LlmInt8);
        }

        Vector512<int> Rounded(Vector512<float> numbers, uint away) =>
            Vector512.ConvertToInt32(Vector512.Round(Vector512.ConditionalSelect(Bits(away), Vector512<float>.Zero, numbers * levels)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _largest.Dispose();
        _apart.Dispose();
    }

    /// <summary>Lanes whose bit is set.</summary>
    private static Vector512<float> Bits(uint bits)
    {
        var each = Vector512.Create(1u, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 8, 1 << 9, 1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15);
        return Vector512.Equals(each & Vector512.Create(bits), each).AsSingle();
    }

    /// <summary>A group of columns, those behind the last zero.</summary>
    private static (Vector512<float> Low, Vector512<float> High) Group(float* values, int columns, int group)
    {
        var first = values + (group * Panel.Group);
        var rest = columns - (group * Panel.Group);
        return rest >= Panel.Group
            ? (Vector512.Load(first), Vector512.Load(first + Panel.Lanes))
            : (First(Vector512.Load(first), rest), rest > Panel.Lanes ? First(Vector512.Load(first + Panel.Lanes), rest - Panel.Lanes) : Vector512<float>.Zero);
    }

    private static Vector512<float> First(Vector512<float> numbers, int count) =>
        Vector512.ConditionalSelect(Vector512.LessThan(Vector512<float>.Indices, Vector512.Create((float)count)), numbers, Vector512<float>.Zero);
}
