using System.Runtime.Intrinsics;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels;

/// <summary>
/// Activations as integers: one record for each token and group of 32 columns, group by group, so that a kernel finds the tokens of a tile at
/// fixed distances. A record holds the group's scale (float32), −bias·Σ integers (int32), from which a sum over biased weights starts to end where one
/// over the weights themselves would, and 32 integers: of 8 bits (−127…127), or of 16 (−8191…8191) for weights that have as many. For LLM.int8() all scales
/// are one, and <see cref="ByRow"/> has the tokens' own.
/// </summary>
internal sealed unsafe class QuantizedRows : IDisposable
{
    /// <summary>Where in a record its scale is.</summary>
    public const int ScaleOffset = 0;

    /// <summary>Where in a record the sum starts.</summary>
    public const int StartOffset = ScaleOffset + sizeof(float);

    /// <summary>Where in a record its integers begin.</summary>
    public const int LevelsOffset = StartOffset + sizeof(int);

    private const float MaxByte = 127;
    private const float MaxWord = 8191;

    // Below this, levels / largest may no longer be finite: such a group counts as zero.
    private const float SmallestByte = 1e-36f;
    private const float SmallestWord = 1e-34f;

    private readonly NativeBuffer<byte> _records;

    /// <param name="maxTokens">Tokens of the largest pass.</param>
    /// <param name="maxColumns">Columns of the widest input.</param>
    /// <param name="widest">Of the weights that these are multiplied with, the format with the longest records. Default: 8 bits.</param>
    /// <param name="outlierThreshold">Of LLM.int8(), where any of these weights are of its format.</param>
    public QuantizedRows(int maxTokens, int maxColumns, WeightFormat widest = WeightFormat.Int8, float? outlierThreshold = null)
    {
        _records = new NativeBuffer<byte>((long)maxTokens * Panel.Groups(maxColumns) * RecordBytes(widest));
        ByRow = outlierThreshold is { } threshold ? new LlmInt8Rows(maxTokens, maxColumns, threshold) : null;
    }

    /// <summary>What LLM.int8() has beside the integers.</summary>
    public LlmInt8Rows? ByRow { get; }

    /// <summary>Bytes of a record.</summary>
    public static int RecordBytes(WeightFormat format) => LevelsOffset + (Panel.Group / Panel.StepColumns(format) * Panel.Step);

    /// <summary>The record of a token in the first group.</summary>
    public byte* RecordAt(int token, WeightFormat format) => _records.Start + ((long)token * RecordBytes(format));

    /// <summary>Rounds one token's groups; different tokens and groups may be set by different threads.</summary>
    /// <param name="token">Which of the pass.</param>
    /// <param name="tokens">Tokens of the pass: the distance between groups, in records.</param>
    /// <param name="values">Columns of the token; up to a vector behind the last is read.</param>
    /// <param name="columns">How many.</param>
    /// <param name="format">Of the weights that these are multiplied with.</param>
    public void Set(int token, int tokens, float* values, int columns, WeightFormat format)
    {
        if (format == WeightFormat.LlmInt8)
        {
            ByRow!.Separate(token, values, columns);
            ByRow.Round(token, tokens, values, columns, this);
            return;
        }

        var record = RecordAt(token, format);
        var stride = (long)tokens * RecordBytes(format);
        var whole = columns / Panel.Group;
        for (var group = 0; group < whole; group++)
        {
            SetRecord(record, Vector512.Load(values), Vector512.Load(values + Panel.Lanes), format);
            record += stride;
            values += Panel.Group;
        }

        if (columns % Panel.Group is > 0 and var rest)
        {
            var last = stackalloc float[Panel.Group];
            new Span<float>(last, Panel.Group).Clear();
            new ReadOnlySpan<float>(values, rest).CopyTo(new Span<float>(last, rest));
            SetRecord(record, Vector512.Load(last), Vector512.Load(last + Panel.Lanes), format);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _records.Dispose();
        ByRow?.Dispose();
    }

    /// <summary>Fills a record.</summary>
    public static void Store(byte* record, Vector512<int> lowLevels, Vector512<int> highLevels, float scale, WeightFormat format)
    {
        var words = Vector512.Narrow(lowLevels, highLevels);
        *(float*)(record + ScaleOffset) = scale;
        *(int*)(record + StartOffset) = -Panel.Bias(format) * Vector512.Sum(lowLevels + highLevels);
        if (format == WeightFormat.Int16)
        {
            words.AsByte().Store(record + LevelsOffset);
        }
        else
        {
            Vector256.Narrow(words.GetLower(), words.GetUpper()).AsByte().Store(record + LevelsOffset);
        }
    }

    private static void SetRecord(byte* record, Vector512<float> low, Vector512<float> high, WeightFormat format)
    {
        var largest = Lanes.Largest(Vector512.Max(Vector512.Abs(low), Vector512.Abs(high)));
        if (largest < (format == WeightFormat.Int16 ? SmallestWord : SmallestByte))
        {
            new Span<byte>(record, RecordBytes(format)).Clear();
            return;
        }

        if (!float.IsFinite(largest))
        {
            // The products become NaN as they would without rounding, and the sampler says so.
            new Span<byte>(record, RecordBytes(format)).Clear();
            *(float*)(record + ScaleOffset) = float.NaN;
            return;
        }

        var most = format == WeightFormat.Int16 ? MaxWord : MaxByte;
        var inverse = Vector512.Create(most / largest);
        var lowLevels = Vector512.ConvertToInt32Native(Vector512.Round(low * inverse));
        var highLevels = Vector512.ConvertToInt32Native(Vector512.Round(high * inverse));
        Store(record, lowLevels, highLevels, largest / most, format);
    }
}
