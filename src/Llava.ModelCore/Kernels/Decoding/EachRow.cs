using Llava.ModelCore.Kernels.Threads;

namespace Llava.ModelCore.Kernels.Decoding;

/// <summary>The same for each row of a pass; a part is a run of rows.</summary>
/// <param name="action">Computes one row.</param>
internal sealed class EachRow(Action<int> action) : IParallelWork
{
    // A row takes about a microsecond: as much as claiming a part.
    private const int PartsPerThread = 4;

    private int _rows;
    private int _parts;

    /// <summary>Computes all rows.</summary>
    public void Run(WorkerPool pool, int rows)
    {
        _rows = rows;
        _parts = Math.Min(rows, pool.Count * PartsPerThread);
        pool.Run(this, _parts);
    }

    /// <inheritdoc/>
    public void Run(int part, int worker)
    {
        var end = (int)((long)_rows * (part + 1) / _parts);
        for (var row = (int)((long)_rows * part / _parts); row < end; row++)
        {
            action(row);
        }
    }
}
