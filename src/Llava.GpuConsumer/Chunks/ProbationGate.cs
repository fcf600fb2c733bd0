namespace Llava.GpuConsumer.Chunks;

/// <summary>
/// Chunks run side by side, but one that has already lost an attempt runs alone: if it ends this process, it is the one to
/// blame, and no innocent neighbour loses an attempt with it.
/// </summary>
internal sealed class ProbationGate(int width) : IDisposable
{
    private readonly SemaphoreSlim _entrance = new(1);
    private readonly SemaphoreSlim _places = new(width);

    /// <summary>Waits for a place, or for all of them.</summary>
    /// <returns>Leaves the gate when disposed.</returns>
    public async Task<IDisposable> EnterAsync(bool alone, CancellationToken cancellation)
    {
        await _entrance.WaitAsync(cancellation);
        var wanted = alone ? width : 1;
        var taken = 0;
        try
        {
            for (; taken < wanted; taken++)
            {
                await _places.WaitAsync(cancellation);
            }
        }
        catch
        {
            Release(taken);
            throw;
        }
        finally
        {
            _entrance.Release();
        }

        return new Place(this, wanted);
    }

    public void Dispose()
    {
        _entrance.Dispose();
        _places.Dispose();
    }

    private void Release(int places)
    {
        if (places > 0)
        {
            _places.Release(places);
        }
    }

    private sealed class Place(ProbationGate gate, int places) : IDisposable
    {
        public void Dispose() => gate.Release(places);
    }
}
