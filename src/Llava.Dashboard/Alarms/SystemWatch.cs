using System.Diagnostics;
using Llava.Hosting.Health;
using Llava.Ledger;
using Llava.Ledger.Backlogs;
using Llava.Ledger.Workers;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Llava.Dashboard.Alarms;

/// <summary>Looks at broker, ledger and consumers for all who ask within the same second or two.</summary>
internal sealed class SystemWatch(
    HealthCheckService health, IOptions<HealthCheckServiceOptions> checks, BrokerProbe broker, WorkerRegistry workers, BacklogReader backlogs, TimeProvider time) : IDisposable
{
    /// <summary>What does not answer within this time counts as away.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.5);

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    /// <summary>The backlog visits every chunk that is not done, so it is counted less often.</summary>
    private static readonly TimeSpan BacklogFresh = TimeSpan.FromSeconds(4);

    private readonly SemaphoreSlim _looking = new(1);
    private SystemState? _last;
    private DateTimeOffset _backlogAt;

    /// <summary>How things are now, or were a second ago.</summary>
    public async Task<SystemState> LookAsync(CancellationToken cancellation)
    {
        await _looking.WaitAsync(cancellation);
        try
        {
            var now = time.GetUtcNow();
            return _last is { } last && now - last.At < Fresh ? last : _last = await LookAsync(_last, now, cancellation);
        }
        finally
        {
            _looking.Release();
        }
    }

    public void Dispose() => _looking.Dispose();

    private async Task<SystemState> LookAsync(SystemState? last, DateTimeOffset now, CancellationToken cancellation)
    {
        var names = checks.Value.Registrations.Where(check => check.Tags.Contains(HealthEndpoints.ReadyTag)).Select(check => check.Name);
        var probe = broker.LookAsync(Patience, cancellation);
        List<SystemPart> parts = [.. await Task.WhenAll(names.Select(name => CheckAsync(name, cancellation)))];
        parts.AddRange(await probe is { } answer ? [answer] : []);
        // The broker has several checks; it is well when all are.
        SystemState state = new([.. parts.GroupBy(part => part.Name).Select(same => new SystemPart(same.Key, same.All(part => part.IsWell), same.Max(part => part.Took)))], last?.Workers ?? [], last?.Backlog, now);
        if (!state.HasLedger)
        {
            return state;
        }

        try
        {
            state = state with { Workers = await workers.ListAsync(cancellation).WaitAsync(Patience, time, cancellation) };
            if (now - _backlogAt >= BacklogFresh)
            {
                state = state with { Backlog = await backlogs.ReadAsync(cancellation).WaitAsync(Patience, time, cancellation) };
                _backlogAt = now;
            }
        }
        catch (Exception away) when (away is TimeoutException or LedgerUnreachableException)
        {
            // It went away between the check and the reading; the next look says so.
        }

        return state;
    }

    private async Task<SystemPart> CheckAsync(string name, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        bool isWell;
        try
        {
            isWell = (await health.CheckHealthAsync(check => check.Name == name, cancellation).WaitAsync(Patience, time, cancellation)).Status != HealthStatus.Unhealthy;
        }
        catch (TimeoutException)
        {
            isWell = false;
        }

        return new(SystemPart.NameOf(name), isWell, Stopwatch.GetElapsedTime(started));
    }
}
