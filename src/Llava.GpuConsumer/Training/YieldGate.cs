using Llava.GpuConsumer.Models;
using Llava.GpuConsumer.Telemetry;

namespace Llava.GpuConsumer.Training;

/// <summary>
/// Between two optimizer steps lets answers of this process go first that somebody waits for: chats, and the first items of jobs. Other items share the device with
/// the run, which would else never get on beside a large job.
/// </summary>
internal sealed class YieldGate(ModelPool models, ConsumerMetrics metrics, TrainingOptions options, TimeProvider time)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits while such answers are on their way, at most for <see cref="TrainingOptions.LongestYield"/>.</summary>
    /// <param name="stopping">Ends the waiting.</param>
    /// <returns>How long that was; zero when nothing had to be waited for.</returns>
    public TimeSpan Wait(CancellationToken stopping)
    {
        if (!IsWanted())
        {
            return TimeSpan.Zero;
        }

        var since = time.GetTimestamp();
        while (IsWanted() && time.GetElapsedTime(since) < options.LongestYield)
        {
            if (stopping.WaitHandle.WaitOne(Look))
            {
                break;
            }
        }

        var waited = time.GetElapsedTime(since);
        metrics.TrainingWaited(waited);
        return waited;
    }

    private bool IsWanted() => options.LongestYield > TimeSpan.Zero && models.Loaded.Any(runner => runner.Statistics?.Urgent > 0);
}
