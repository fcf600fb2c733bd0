namespace Llava.ModelCore.Kernels.Weights;

/// <summary>A weight (rows, columns) in panels. Rows that fill up the last panel are zero.</summary>
internal sealed unsafe class PackedMatrix : IDisposable
{
    private const int StepBytes = Panel.Lanes * Panel.Step;

    private readonly NativeBuffer<byte> _panels;

    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="format">How the weights are kept.</param>
    /// <param name="panels">All panels, disposed with the matrix; null makes a matrix of zeros, to be filled row by row.</param>
    public PackedMatrix(int rows, int columns, WeightFormat format, NativeBuffer<byte>? panels = null)
    {
        (Rows, Columns, Format) = (rows, columns, format);
        PanelBytes = Panel.Bytes(format, columns);
        _panels = panels ?? new NativeBuffer<byte>(PanelBytes * PanelCount);
    }

    /// <summary>Outputs.</summary>
    public int Rows { get; }

    /// <summary>Inputs.</summary>
    public int Columns { get; }

    /// <summary>How the weights are kept.</summary>
    public WeightFormat Format { get; }

    /// <summary>Panels of 32 rows.</summary>
    public int PanelCount => Panel.Count(Rows);

    /// <summary>Bytes of one panel.</summary>
    public long PanelBytes { get; }

    /// <summary>Bytes of all panels.</summary>
    public long Bytes => _panels.Bytes;

    /// <summary>The first byte of a panel.</summary>
    public byte* PanelAt(int panel) => _panels.Start + (panel * PanelBytes);

    /// <summary>Rounds one row into its place; different rows may be set by different threads.</summary>
    /// <param name="row">Which.</param>
    /// <param name="values">(columns).</param>
    /// <exception cref="ArgumentException">A number is not finite and the format has no place for it.</exception>
    public void SetRow(int row, ReadOnlySpan<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, Columns, nameof(values));
        var panel = PanelAt(row / Panel.Rows);
        switch (Format)
        {
            case WeightFormat.Float32:
                SetColumns<SingleElement>(panel, row % Panel.Rows, values);
                break;
            case WeightFormat.BFloat16:
                SetColumns<BFloat16Element>(panel, row % Panel.Rows, values);
                break;
            case WeightFormat.Float16:
                SetColumns<HalfElement>(panel, row % Panel.Rows, values);
                break;
            case WeightFormat.LlmInt8:
                SetByRow(panel, row % Panel.Rows, values);
                break;
            default:
                SetGroups(panel, row % Panel.Rows, values);
                break;
        }
    }

    /// <summary>Puts a row of NF4 codes in its place; different rows may be set by different threads.</summary>
    /// <exception cref="ArgumentException">A weight is not a finite number in half precision.</exception>
    public void SetRow(int row, in Nf4Row codes) => Nf4Panel.SetRow(PanelAt(row / Panel.Rows), Columns, row % Panel.Rows, codes);

    /// <summary>What a weight has become.</summary>
    public float this[int row, int column]
    {
        get
        {
            var panel = PanelAt(row / Panel.Rows);
            var line = row % Panel.Rows;
            return Format switch
            {
                WeightFormat.Float32 => ((float*)panel)[((long)column * Panel.Rows) + line],
                WeightFormat.Float16 => (float)((Half*)panel)[((long)column * Panel.Rows) + line],
                WeightFormat.BFloat16 => BFloat16Bits.ToSingle(((ushort*)panel)[((long)column * Panel.Rows) + line]),
                WeightFormat.Nf4 => Nf4Panel.Weight(panel, Columns, line, column),
                WeightFormat.LlmInt8 => Level(panel, line, column) * *RowScaleAt(panel, line),
                _ => Level(panel, line, column) * BFloat16Bits.ToSingle(*ScaleAt(panel, line, column / Panel.Group)),
            };
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _panels.Dispose();

    private static void SetColumns<T>(byte* panel, int line, ReadOnlySpan<float> values)
        where T : struct, IFloatElement
    {
        for (var k = 0; k < values.Length; k++)
        {
            T.Store(panel + ((((long)k * Panel.Rows) + line) * T.Bytes), values[k]);
        }
    }

    private void SetGroups(byte* panel, int line, ReadOnlySpan<float> values)
    {
        Span<short> levels = stackalloc short[Panel.Group];
        for (var group = 0; group < Panel.Groups(Columns); group++)
        {
            var columns = values[(group * Panel.Group)..Math.Min((group + 1) * Panel.Group, Columns)];
            *ScaleAt(panel, line, group) = GroupRounding.Round(columns, Format, levels);
            var (first, _) = PlaceOf(line, group, 0);
            SetLevels(panel + first, levels);
        }
    }

    /// <summary>A row's largest magnitude becomes ±127.</summary>
    private void SetByRow(byte* panel, int line, ReadOnlySpan<float> values)
    {
        var largest = MathF.Abs(GroupRounding.Largest(values));
        *RowScaleAt(panel, line) = RowRounding.Scale(largest);
        var inverse = RowRounding.Levels(largest);
        Span<short> levels = stackalloc short[Panel.Group];
        for (var group = 0; group < Panel.Groups(Columns); group++)
        {
            levels.Clear();
            var first = group * Panel.Group;
            for (var k = first; k < Math.Min(first + Panel.Group, Columns); k++)
            {
                levels[k - first] = (short)MathF.Round(values[k] * inverse);
            }

            *ScaleAt(panel, line, group) = BFloat16Bits.FromSingle(1);
            SetLevels(panel + PlaceOf(line, group, 0).Byte, levels);
        }
    }

    /// <summary>Writes the levels of a line's group: the columns of a step side by side, and a step of all lines further on.</summary>
    private void SetLevels(byte* first, ReadOnlySpan<short> levels)
    {
        var (bias, columns, half) = (Panel.Bias(Format), Panel.StepColumns(Format), Panel.Group / 2);
        for (var i = 0; i < (Format == WeightFormat.Int4 ? half : Panel.Group); i++)
        {
            var place = first + (i / columns * StepBytes) + (i % columns * (Panel.Step / columns));
            switch (Format)
            {
                case WeightFormat.Int16:
                    *(short*)place = levels[i];
                    break;
                case WeightFormat.Int8 or WeightFormat.LlmInt8:
                    *place = (byte)(levels[i] + bias);
                    break;
                default:
                    *place = (byte)((levels[i] + bias) | ((levels[i + half] + bias) << 4));
                    break;
            }
        }
    }

    private ushort* ScaleAt(byte* panel, int line, int group) =>
        (ushort*)(panel + ((long)group * Panel.RecordBytes(Format)) + (2 * Panel.BlockBytes(Format))) + line;

    private float* RowScaleAt(byte* panel, int line) => (float*)(panel + Panel.RowScalesOffset(Columns)) + line;

    private int Level(byte* panel, int line, int column)
    {
        var (place, shift) = PlaceOf(line, column / Panel.Group, column % Panel.Group);
        return Format == WeightFormat.Int16 ? *(short*)(panel + place) : ((panel[place] >> shift) & (Format == WeightFormat.Int4 ? 0xF : 0xFF)) - Panel.Bias(Format);
    }

    /// <summary>Where in its panel a weight lies. In four bits a byte holds a column of the group's first half low and one of its second half high.</summary>
    private (long Byte, int Shift) PlaceOf(int line, int group, int k)
    {
        var block = ((long)group * Panel.RecordBytes(Format)) + (line / Panel.Lanes * Panel.BlockBytes(Format));
        var columns = Panel.StepColumns(Format);
        var (half, step) = Math.DivRem(k / columns, Panel.BlockBytes(Format) / StepBytes);
        return (block + (step * StepBytes) + (line % Panel.Lanes * Panel.Step) + (k % columns * (Panel.Step / columns)), half * 4);
    }
}
