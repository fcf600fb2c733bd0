using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Hosting.Paths;
using Llava.Ledger.Files;
using Llava.Scheduler.Expansion;

namespace Llava.Scheduler.Sources;

/// <summary>Reads a job's source before there is a job, as its expansion would, for a few seconds at most and without keeping anything of it.</summary>
public sealed class SourceSurveyor
{
    private const int Shown = 64;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private readonly SourceReader _sources;
    private readonly TimeProvider _time;

    /// <param name="roots">What may be read.</param>
    /// <param name="files">Files that tenants have sent; null where there are none.</param>
    /// <param name="time">Clock; null is the system's.</param>
    public SourceSurveyor(AllowedRoots roots, FileStore? files, TimeProvider? time = null) => (_sources, _time) = (new(roots, files), time ?? TimeProvider.System);

    /// <summary>Counts the items that the request would make.</summary>
    /// <exception cref="JobException">The source cannot be read; its job would fail for the same reason.</exception>
    public async Task<SurveyedSource> SurveyAsync(JobRequest request, CancellationToken cancellation = default)
    {
        try
        {
            return await ReadAsync(request, cancellation);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SourceException("source_unreadable", $"The source '{request.Source.Path}' cannot be read: {failure.Message}", failure);
        }
    }

    private async Task<SurveyedSource> ReadAsync(JobRequest request, CancellationToken cancellation)
    {
        JobItems items = new(request);
        var (usable, rejected) = (0L, 0L);
        List<ItemSpec> shown = new(Shown);
        Random random = new(Shown);
        var started = _time.GetTimestamp();
        await foreach (var record in _sources.ReadAsync(request, null, cancellation))
        {
            foreach (var item in items.Of(record))
            {
                if (item.Rejection is not null)
                {
                    rejected++;
                }
                else if (++usable <= Shown)
                {
                    shown.Add(item.Spec);
                }
                else if (random.NextInt64(usable) is < Shown and var place)
                {
                    // Each item is shown with the same likelihood, however many there are.
                    shown[(int)place] = item.Spec;
                }
            }

            if (_time.GetElapsedTime(started) > Longest)
            {
                return new(usable, rejected, IsCut: true, shown);
            }
        }

        return new(usable, rejected, IsCut: false, shown);
    }
}

/// <summary>What a source holds.</summary>
/// <param name="Items">Items that can be worked on.</param>
/// <param name="Rejected">Items that cannot be used.</param>
/// <param name="IsCut">Whether reading took too long and there are more.</param>
/// <param name="Shown">Some of the usable items from all of what was read.</param>
public sealed record SurveyedSource(long Items, long Rejected, bool IsCut, IReadOnlyList<ItemSpec> Shown);
