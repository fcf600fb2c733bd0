using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Llava.Cli.Terminal;

/// <summary>
/// The line under which a job runs, on standard error: a bar, items and tokens per second, time left. Where standard error is
/// not a terminal, one plain line every ten seconds.
/// </summary>
internal static class JobProgressBar
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan PlainPace = TimeSpan.FromSeconds(10);

    /// <summary>Shows the job until the reader says that it is over; the reader is asked a few times a second.</summary>
    public static async Task<JobTick> ShowAsync(
        Func<CancellationToken, Task<(JobTick Tick, bool IsOver)>> read, TimeProvider time, CancellationToken cancellationToken)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        var rates = new RateWindow(time);
        return console.Profile.Out.IsTerminal
            ? await console.Progress().AutoClear(false).Columns(
                    new SpinnerColumn(), new ProgressBarColumn { Width = 32 }, new PercentageColumn(), new RateColumn(rates))
                .StartAsync(context => FollowAsync(read, rates, Bar(context), Pace, time, cancellationToken)).ConfigureAwait(false)
            : await FollowAsync(read, rates, Plain(rates), PlainPace, time, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<JobTick> FollowAsync(
        Func<CancellationToken, Task<(JobTick Tick, bool IsOver)>> read, RateWindow rates, Action<JobTick, bool> show, TimeSpan pace, TimeProvider time, CancellationToken cancellationToken)
    {
        var shownAt = time.GetTimestamp();
        while (true)
        {
            var (tick, isOver) = await read(cancellationToken).ConfigureAwait(false);
            rates.Add(tick);
            if (isOver || pace == Pace || time.GetElapsedTime(shownAt) >= pace)
            {
                shownAt = time.GetTimestamp();
                show(tick, isOver);
            }

            if (isOver)
            {
                return tick;
            }

            await Task.Delay(Pace, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static Action<JobTick, bool> Bar(ProgressContext context)
    {
        var task = context.AddTask("items", maxValue: 1);
        return (tick, isOver) =>
        {
            task.MaxValue = Math.Max(1, tick.Total);
            task.Value = isOver && tick.Total == 0 ? 1 : tick.Done;
            task.State.Update<JobTick>("tick", _ => tick);
        };
    }

    private static Action<JobTick, bool> Plain(RateWindow rates) => (tick, _) => Console.Error.WriteLine(Line(tick, rates));

    private static string Line(JobTick tick, RateWindow rates)
    {
        var failed = tick.Failed > 0 ? $" ({tick.Failed} failed)" : "";
        var more = tick.IsBeingRead ? "+" : "";
        var eta = !tick.IsBeingRead && tick.Done < tick.Total && rates.Eta is { } left ? $"  ETA {Text(left)}" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{tick.Done}/{tick.Total}{more} items{failed}  {rates.ItemsPerSecond:0.0} items/s  {rates.TokensPerSecond:0} tokens/s{eta}");
    }

    private static string Text(TimeSpan left) => left.TotalHours >= 1
        ? $"{(int)left.TotalHours}:{left.Minutes:00}:{left.Seconds:00}"
        : $"{left.Minutes}:{left.Seconds:00}";

    private sealed class RateColumn(RateWindow rates) : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(Line(task.State.Get<JobTick>("tick"), rates));
    }
}
