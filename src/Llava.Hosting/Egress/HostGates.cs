namespace Llava.Hosting.Egress;

/// <summary>Lets so many in at the same time, for each host and for all together. A host that nobody asks takes no memory.</summary>
internal sealed class HostGates(int perHost, int together) : IDisposable
{
    private readonly SemaphoreSlim _together = new(together);
    private readonly Dictionary<string, Gate> _gates = [];

    /// <summary>Runs <paramref name="visit"/> when there is room; a host that is slow holds up none of the others' places.</summary>
    public async Task<T> EnterAsync<T>(string host, Func<Task<T>> visit, CancellationToken cancellation)
    {
        var gate = Find(host);
        try
        {
            await gate.Places.WaitAsync(cancellation);
            try
            {
                await _together.WaitAsync(cancellation);
                try
                {
                    return await visit();
                }
                finally
                {
                    _together.Release();
                }
            }
            finally
            {
                gate.Places.Release();
            }
        }
        finally
        {
            Leave(host, gate);
        }
    }

    public void Dispose() => _together.Dispose();

    private Gate Find(string host)
    {
        lock (_gates)
        {
            var gate = _gates.TryGetValue(host, out var known) ? known : _gates[host] = new(new(perHost));
            gate.Visitors++;
            return gate;
        }
    }

    private void Leave(string host, Gate gate)
    {
        lock (_gates)
        {
            if (--gate.Visitors == 0)
            {
                _gates.Remove(host);
                gate.Places.Dispose();
            }
        }
    }

    private sealed class Gate(SemaphoreSlim places)
    {
        public SemaphoreSlim Places { get; } = places;

        public int Visitors { get; set; }
    }
}
