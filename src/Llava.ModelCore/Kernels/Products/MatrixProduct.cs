using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Products;

/// <summary>y = x·Wᵀ, or y + x·Wᵀ, over all tokens of a pass; a part is a run of panels.</summary>
/// <param name="kernel">Multiplies integer panels.</param>
internal sealed unsafe class MatrixProduct(IntegerKernel kernel) : IParallelWork
{
    // What stays in a core's own cache while panel after panel passes by.
    private const int BytesAtOnce = 1 << 20;

    private const int MostTokensAtOnce = 192;

    // Few enough parts that claiming them costs nothing, enough that threads which were set aside are made up for.
    private const int PartsPerThread = 8;

    private const int VectorBytes = Panel.Lanes * sizeof(float);

    private readonly FloatKernel _floatKernel = FloatKernel.Beside(kernel.Kind);
    private PackedMatrix? _weights;
    private QuantizedRows? _integers;
    private Rows _floats;
    private Rows _output;
    private int _tokens;
    private int _parts;
    private bool _adds;

    /// <summary>Multiplies.</summary>
    /// <param name="pool">Who computes.</param>
    /// <param name="weights">(rows, columns).</param>
    /// <param name="integers">The tokens, where the weights are integers.</param>
    /// <param name="floats">The tokens, where they are not, and for LLM.int8() beside them.</param>
    /// <param name="tokens">How many.</param>
    /// <param name="output">(tokens, rows), each row with room for whole panels.</param>
    /// <param name="adds">Whether the products are added to what the output holds.</param>
    public void Run(WorkerPool pool, PackedMatrix weights, QuantizedRows integers, Rows floats, int tokens, Rows output, bool adds)
    {
        (_weights, _integers, _floats, _tokens, _output, _adds) = (weights, integers, floats, tokens, output, adds);
        _parts = Math.Min(weights.PanelCount, pool.Count == 1 ? 1 : pool.Count * PartsPerThread);
        pool.Run(this, _parts);
    }

    /// <inheritdoc/>
    public void Run(int part, int worker)
    {
        var (first, end) = Share(_weights!.PanelCount, part, _parts);
        var bytes = Panel.IsInteger(_weights.Format) ? Panel.Groups(_weights.Columns) * QuantizedRows.RecordBytes(_weights.Format) : _weights.Columns * sizeof(float);
        var most = Math.Clamp(BytesAtOnce / bytes, MostTokensAtOnce / 4, MostTokensAtOnce);
        var runs = (_tokens + most - 1) / most;
        var room = stackalloc float[ScratchOf(_weights.Format, most) + Panel.Lanes];
        var scratch = (float*)(((nuint)room + VectorBytes - 1) & ~(nuint)(VectorBytes - 1));
        for (var run = 0; run < runs; run++)
        {
            var (token, last) = Share(_tokens, run, runs);
            for (var panel = first; panel < end; panel++)
            {
                Multiply(panel, token, last - token, scratch);
            }
        }
    }

    private static (int First, int End) Share(int count, int part, int parts) =>
        ((int)((long)count * part / parts), (int)((long)count * (part + 1) / parts));

    /// <summary>Numbers that a panel needs room for: sums before they are scaled, or a block of weights that is expanded.</summary>
    private static int ScratchOf(WeightFormat format, int tokens) => format switch
    {
        WeightFormat.LlmInt8 => tokens * Panel.Rows,
        WeightFormat.Nf4 => Panel.BlockColumns(format) * Panel.Rows,
        _ => 0,
    };

    /// <summary>One panel times some tokens.</summary>
    private void Multiply(int panel, int token, int count, float* scratch)
    {
        Rows output = new(_output.At(token) + (panel * Panel.Rows), _output.Stride);
        if (_weights!.Format == WeightFormat.LlmInt8)
        {
            Rows sums = new(scratch, Panel.Rows);
            Multiply(panel, token, count, sums, adds: false, scratch);
            LlmInt8Product.Finish(_weights.PanelAt(panel), _weights.Columns, sums, _integers!.ByRow!, _floats, token, count, output, _adds);
        }
        else
        {
            Multiply(panel, token, count, output, _adds, scratch);
        }
    }

    /// <summary>The same block by block of columns, each in tiles of nearly equal size.</summary>
    private void Multiply(int panel, int token, int count, Rows output, bool adds, float* scratch)
    {
        var format = _weights!.Format;
        var isExpanded = format == WeightFormat.Nf4;
        var most = Panel.IsInteger(format) ? kernel.MostTokens : _floatKernel.MostTokens;
        var tiles = (count + most - 1) / most;
        for (var column = 0; column < _weights.Columns; column += Panel.BlockColumns(format))
        {
            var columns = Math.Min(Panel.BlockColumns(format), _weights.Columns - column);
            if (isExpanded)
            {
                Nf4Panel.Expand(_weights.PanelAt(panel), _weights.Columns, column, columns, scratch);
            }

            for (var i = 0; i < tiles; i++)
            {
                // The vector kernels have one fast size, the assembled ones have all.
                var (first, end) = kernel.Kind == KernelKind.Assembled ? Share(count, i, tiles) : (i * most, Math.Min(count, (i + 1) * most));
                Rows to = new(output.At(first), output.Stride);
                if (Panel.IsInteger(format))
                {
                    kernel.Multiply(TileAt(panel, column, columns, token + first, to), Panel.Records(format), end - first, adds || column > 0);
                }
                else
                {
                    var weights = isExpanded ? (byte*)scratch : _weights.PanelAt(panel) + Panel.Bytes(format, column);
                    _floatKernel.Multiply(FloatTileAt(weights, column, columns, token + first, to), isExpanded ? WeightFormat.Float32 : format, end - first, adds || column > 0);
                }
            }
        }
    }

    private Tile TileAt(int panel, int column, int columns, int token, Rows output)
    {
        var format = _weights!.Format;
        var (group, stride) = (column / Panel.Group, (long)_tokens * QuantizedRows.RecordBytes(format));
        return new()
        {
            Weights = _weights.PanelAt(panel) + ((long)group * Panel.RecordBytes(format)),
            Tokens = _integers!.RecordAt(token, format) + (group * stride),
            GroupStride = stride,
            Groups = Panel.Groups(columns),
            Output = output.At(0),
            OutputStride = output.Stride * (long)sizeof(float),
            Mask = Tile.LowNibbles,
        };
    }

    private FloatTile FloatTileAt(byte* weights, int column, int columns, int token, Rows output) => new()
    {
        Weights = weights,
        Tokens = _floats.At(token) + column,
        TokenStride = _floats.Stride * (long)sizeof(float),
        Columns = columns,
        Output = output.At(0),
        OutputStride = output.Stride * (long)sizeof(float),
    };
}
