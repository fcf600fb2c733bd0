using Llava.Cli.Terminal;
using Microsoft.Extensions.Time.Testing;

namespace Llava.Cli.Tests.Terminal;

public sealed class RateWindowTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void Rates_and_time_left_follow_the_last_half_minute()
    {
        var rates = new RateWindow(_clock);
        rates.Add(new JobTick(0, 0, 1000, 0));
        _clock.Advance(TimeSpan.FromSeconds(10));
        rates.Add(new JobTick(100, 0, 1000, 2000));

        Assert.Equal(10, rates.ItemsPerSecond, 3);
        Assert.Equal(200, rates.TokensPerSecond, 3);
        Assert.Equal(TimeSpan.FromSeconds(90), rates.Eta);
    }

    [Fact]
    public void Old_ticks_leave_the_window()
    {
        var rates = new RateWindow(_clock);
        foreach (var done in new[] { 0, 1000, 1010, 1020, 1030, 1040 })
        {
            _clock.Advance(TimeSpan.FromSeconds(10));
            rates.Add(new JobTick(done, 0, 2000, 0));
        }

        Assert.Equal(1, rates.ItemsPerSecond, 1);
    }

    [Fact]
    public void Without_two_ticks_there_is_no_time_left()
    {
        var rates = new RateWindow(_clock);
        rates.Add(new JobTick(5, 0, 10, 0));

        Assert.Null(rates.Eta);
    }
}
