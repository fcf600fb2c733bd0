using System.Runtime.Intrinsics;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels;

/// <summary>
/// Activations as integers: one record of 40 bytes for each token and group of 32 columns, group by group, so that a kernel finds
/// the tokens of a tile at fixed distances. A record holds 32 integers (−127…127), their scale (float32), and −bias·Σ integers (int32),
/// from which a sum over biased weights starts to end where one over the weights themselves would.
/// </summary>
internal sealed unsafe class QuantizedRows : IDisposable
{
    /// <summary>Bytes of a record.</summary>
    public const int RecordBytes = Panel.Group + sizeof(float) + sizeof(int);

    /// <summary>Where in a record its scale is.</summary>
    public const int ScaleOffset = Panel.Group;

    /// <summary>Where in a record the sum starts.</summary>
    public const int StartOffset = Panel.Group + sizeof(float);

    private const float MaxLevel = 127;

    // Below this, 127 / largest is no longer finite: such a group counts as zero.
    private const float Smallest = 1e-36f;

    private readonly NativeBuffer<byte> _records;

    /// <param name="maxTokens">Tokens of the largest pass.</param>
    /// <param name="maxColumns">Columns of the widest input.</param>
    public QuantizedRows(int maxTokens, int maxColumns) => _records = new NativeBuffer<byte>((long)maxTokens * Panel.Groups(maxColumns) * RecordBytes);

    /// <summary>The record of a token in the first group.</summary>
    public byte* RecordAt(int token) => _records.Start + ((long)token * RecordBytes);

    /// <summary>Rounds one token's groups; different tokens and groups may be set by different threads.</summary>
    /// <param name="token">Which of the pass.</param>
    /// <param name="tokens">Tokens of the pass: the distance between groups, in records.</param>
    /// <param name="values">Columns of the token; up to a vector behind the last is read.</param>
    /// <param name="columns">How many.</param>
    /// <param name="format">Of the weights that these are multiplied with.</param>
    public void Set(int token, int tokens, float* values, int columns, WeightFormat format)
    {
        var record = RecordAt(token);
        var whole = columns / Panel.Group;
        for (var group = 0; group < whole; group++)
        {
            SetRecord(record, Vector512.Load(values), Vector512.Load(values + Panel.Lanes), Panel.Bias(format));
            record += (long)tokens * RecordBytes;
            values += Panel.Group;
        }

        if (columns % Panel.Group is > 0 and var rest)
        {
            var last = stackalloc float[Panel.Group];
            new Span<float>(last, Panel.Group).Clear();
            new ReadOnlySpan<float>(values, rest).CopyTo(new Span<float>(last, rest));
            SetRecord(record, Vector512.Load(last), Vector512.Load(last + Panel.Lanes), Panel.Bias(format));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _records.Dispose();

    private static void SetRecord(byte* record, Vector512<float> low, Vector512<float> high, int bias)
    {
        var largest = Largest(Vector512.Max(Vector512.Abs(low), Vector512.Abs(high)));
        if (largest < Smallest)
        {
            new Span<byte>(record, RecordBytes).Clear();
            return;
        }

        if (!float.IsFinite(largest))
        {
            // The products become NaN as they would without rounding, and the sampler says so.
            new Span<byte>(record, RecordBytes).Clear();
            *(float*)(record + ScaleOffset) = float.NaN;
            return;
        }

        var inverse = Vector512.Create(MaxLevel / largest);
        var lowLevels = Vector512.ConvertToInt32Native(Vector512.Round(low * inverse));
        var highLevels = Vector512.ConvertToInt32Native(Vector512.Round(high * inverse));
        var words = Vector512.Narrow(lowLevels, highLevels);
        Vector256.Narrow(words.GetLower(), words.GetUpper()).AsByte().Store(record);
        *(float*)(record + ScaleOffset) = largest / MaxLevel;
        *(int*)(record + StartOffset) = -bias * Vector512.Sum(lowLevels + highLevels);
    }

    /// <summary>The largest lane; NaN when one is.</summary>
    private static float Largest(Vector512<float> values)
    {
        var eight = Vector256.Max(values.GetLower(), values.GetUpper());
        var four = Vector128.Max(eight.GetLower(), eight.GetUpper());
        var two = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Vector128.Max(two, Vector128.Shuffle(two, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }
}
