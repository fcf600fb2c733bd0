using System.Runtime.CompilerServices;
using Llava.Contracts.Requests;
using Llava.Scheduler.Sources;

namespace Llava.Scheduler.Tests;

/// <summary>A source whose reader dies after some items.</summary>
internal sealed class KilledSource(IJobSource source, int after) : IJobSource
{
    public async IAsyncEnumerable<SourceItem> ReadAsync(JobRequest request, string? position, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var left = after;
        await foreach (var item in source.ReadAsync(request, position, cancellation))
        {
            if (left-- == 0)
            {
                throw new KilledException();
            }

            yield return item;
        }

        throw new KilledException();
    }
}

internal sealed class KilledException : Exception;
