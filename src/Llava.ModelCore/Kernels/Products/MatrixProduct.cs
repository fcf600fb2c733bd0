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
    /// <param name="floats">The tokens, where they are not.</param>
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
        for (var run = 0; run < runs; run++)
        {
            var (token, last) = Share(_tokens, run, runs);
            for (var panel = first; panel < end; panel++)
            {
                Multiply(panel, token, last - token);
            }
        }
    }

    private static (int First, int End) Share(int count, int part, int parts) =>
        ((int)((long)count * part / parts), (int)((long)count * (part + 1) / parts));

    /// <summary>One panel times some tokens, block by block of columns, each in tiles of nearly equal size.</summary>
    private void Multiply(int panel, int token, int count)
    {
        var format = _weights!.Format;
        var most = Panel.IsInteger(format) ? kernel.MostTokens : _floatKernel.MostTokens;
        var tiles = (count + most - 1) / most;
        for (var column = 0; column < _weights.Columns; column += Panel.BlockColumns(format))
        {
            for (var i = 0; i < tiles; i++)
            {
                // The vector kernels have one fast size, the assembled ones have all.
                var (first, end) = kernel.Kind == KernelKind.Assembled ? Share(count, i, tiles) : (i * most, Math.Min(count, (i + 1) * most));
                Multiply(panel, column, token + first, end - first, _adds || column > 0);
            }
        }
    }

    private void Multiply(int panel, int column, int token, int tokens, bool adds)
    {
        var format = _weights!.Format;
        var columns = Math.Min(Panel.BlockColumns(format), _weights.Columns - column);
        if (Panel.IsInteger(format))
        {
            kernel.Multiply(TileAt(panel, column / Panel.Group, token, Panel.Groups(columns)), format, tokens, adds);
        }
        else
        {
            _floatKernel.Multiply(FloatTileAt(panel, column, token, columns), format, tokens, adds);
        }
    }

    private Tile TileAt(int panel, int group, int token, int groups)
    {
        var format = _weights!.Format;
        var stride = (long)_tokens * QuantizedRows.RecordBytes(format);
        return new()
        {
            Weights = _weights.PanelAt(panel) + ((long)group * Panel.RecordBytes(format)),
            Tokens = _integers!.RecordAt(token, format) + (group * stride),
            GroupStride = stride,
            Groups = groups,
            Output = OutputAt(panel, token),
            OutputStride = _output.Stride * (long)sizeof(float),
            Mask = Tile.LowNibbles,
        };
    }

    private FloatTile FloatTileAt(int panel, int column, int token, int columns) => new()
    {
        Weights = _weights!.PanelAt(panel) + Panel.Bytes(_weights.Format, column),
        Tokens = _floats.At(token) + column,
        TokenStride = _floats.Stride * (long)sizeof(float),
        Columns = columns,
        Output = OutputAt(panel, token),
        OutputStride = _output.Stride * (long)sizeof(float),
    };

    private float* OutputAt(int panel, int token) => _output.At(token) + (panel * Panel.Rows);
}
