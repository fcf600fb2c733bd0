namespace Llava.ModelCore.Kernels.Weights;

/// <summary>How a packed matrix keeps its weights.</summary>
internal enum WeightFormat
{
    /// <summary>32 bits, as they are.</summary>
    Float32,

    /// <summary>16 bits: the upper half of a float32.</summary>
    BFloat16,

    /// <summary>16 bits: IEEE's half precision, of finite numbers only.</summary>
    Float16,

    /// <summary>8 bits and a scale for each group of 32: 8.5 bits per weight.</summary>
    Int8,

    /// <summary>4 bits and a scale for each group of 32: 4.5 bits per weight.</summary>
    Int4,

    /// <summary>14 bits and a scale for each group of 32, kept as 16.5 bits per weight; tokens get 14 bits too. For what is to lose nothing that matters.</summary>
    Int16,

    /// <summary>LLM.int8(): 8 bits, and one scale for a whole row. In the records of <see cref="Int8"/> every scale is one; those of the rows stand behind them.</summary>
    LlmInt8,

    /// <summary>NF4 with double quantization (<see cref="Nf4Panel"/>), multiplied by as half precision: about 4.2 bits per weight.</summary>
    Nf4,
}

/// <summary>
/// The panel: 32 rows of a matrix, which a kernel multiplies with a few tokens at a time. Integer panels are records of one group of 32
/// columns each: the rows 0–15, the rows 16–31, and 32 scales (bfloat16). A block of 16 rows holds four consecutive columns (of 16 bits two) of each row side by
/// side, so that one vector is a step of a dot product with lane = row. Float panels are one line of 32 rows per column.
/// </summary>
internal static class Panel
{
    /// <summary>Rows of a panel.</summary>
    public const int Rows = 32;

    /// <summary>Rows of a block: the lanes of a 512-bit vector.</summary>
    public const int Lanes = 16;

    /// <summary>Columns that share a scale.</summary>
    public const int Group = 32;

    /// <summary>Bytes that a step of a dot product takes of a row, and of a token.</summary>
    public const int Step = 4;

    /// <summary>Bytes of the scales in a record.</summary>
    public const int ScaleBytes = Rows * sizeof(ushort);

    /// <summary>What is added to a weight of 8 or 4 bits to make it unsigned: it is kept as weight + bias.</summary>
    public static int Bias(WeightFormat format) => format switch
    {
        WeightFormat.Int8 or WeightFormat.LlmInt8 => 128,
        WeightFormat.Int4 => 8,
        _ => 0,
    };

    /// <summary>Whether the weights are integers with scales.</summary>
    public static bool IsInteger(WeightFormat format) => format is WeightFormat.Int8 or WeightFormat.Int4 or WeightFormat.Int16 or WeightFormat.LlmInt8;

    /// <summary>The format of an integer panel's records, as kernels know it.</summary>
    public static WeightFormat Records(WeightFormat format) => format == WeightFormat.LlmInt8 ? WeightFormat.Int8 : format;

    /// <summary>Bytes of a block of 16 rows in a record of an integer panel.</summary>
    public static int BlockBytes(WeightFormat format) => Lanes * Group * Bits(format) / 8;

    /// <summary>Columns of a step of a dot product: what 32 bits of a token hold.</summary>
    public static int StepColumns(WeightFormat format) => format == WeightFormat.Int16 ? 2 : 4;

    /// <summary>Bytes of a record (one group of columns) of an integer panel.</summary>
    public static int RecordBytes(WeightFormat format) => (2 * BlockBytes(format)) + ScaleBytes;

    /// <summary>
    /// Columns of a block: an output is the sum of its blocks' sums in order, so that a block of a panel stays in the nearest cache while many tokens pass
    /// by. A multiple of <see cref="Group"/>.
    /// </summary>
    public static int BlockColumns(WeightFormat format) => format switch
    {
        WeightFormat.Float32 => 128,
        WeightFormat.Int8 or WeightFormat.Int4 or WeightFormat.LlmInt8 => 512,
        _ => 256,
    };

    /// <summary>Groups that hold so many columns; what the last group lacks counts as zero.</summary>
    public static int Groups(int columns) => (columns + Group - 1) / Group;

    /// <summary>Panels that hold so many rows.</summary>
    public static int Count(int rows) => (rows + Rows - 1) / Rows;

    /// <summary>Rows, filled up to whole panels: the distance between the tokens of an output.</summary>
    public static int Padded(int rows) => Count(rows) * Rows;

    /// <summary>Bytes of a panel.</summary>
    public static long Bytes(WeightFormat format, int columns) => format switch
    {
        WeightFormat.Nf4 => Nf4Panel.Bytes(columns),
        WeightFormat.LlmInt8 => RowScalesOffset(columns) + (Rows * sizeof(float)),
        _ when IsInteger(format) => (long)Groups(columns) * RecordBytes(format),
        _ => (long)columns * Rows * (format == WeightFormat.Float32 ? sizeof(float) : sizeof(ushort)),
    };

    /// <summary>Where the scales of the rows (float32) begin in a panel of <see cref="WeightFormat.LlmInt8"/>.</summary>
    public static long RowScalesOffset(int columns) => (long)Groups(columns) * RecordBytes(WeightFormat.LlmInt8);

    private static int Bits(WeightFormat format) => format switch
    {
        WeightFormat.Int8 or WeightFormat.LlmInt8 => 8,
        WeightFormat.Int4 => 4,
        _ => 16,
    };
}
