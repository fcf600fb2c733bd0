using Llava.Contracts.Requests;
using Llava.Ledger.Schedules;

namespace Llava.Ledger.Tests.Schedules;

public sealed class CadenceTests
{
    private const string Berlin = "Europe/Berlin";

    [Fact]
    public void A_time_that_the_clocks_skip_fires_once_when_the_gap_is_over()
    {
        // On 29 March 2026 the clocks of Berlin go from 02:00 to 03:00.
        Assert.Equal(
            ["28.03. 02:30 +01:00", "29.03. 03:00 +02:00", "30.03. 02:30 +02:00"],
            Fires("30 2 * * *", "2026-03-28T00:00:00Z", 3));
    }

    [Fact]
    public void A_time_that_comes_twice_fires_the_first_time_only()
    {
        // On 25 October 2026 the clocks of Berlin go from 03:00 back to 02:00.
        Assert.Equal(
            ["24.10. 02:30 +02:00", "25.10. 02:30 +02:00", "26.10. 02:30 +01:00"],
            Fires("30 2 * * *", "2026-10-24T00:00:00Z", 3));
    }

    [Fact]
    public void What_fires_every_so_many_minutes_goes_on_through_both()
    {
        Assert.Equal(
            ["29.03. 01:30 +01:00", "29.03. 03:00 +02:00", "29.03. 03:30 +02:00"],
            Fires("*/30 * * * *", "2026-03-29T00:15:00Z", 3));
        Assert.Equal(
            ["25.10. 02:30 +02:00", "25.10. 02:00 +01:00", "25.10. 02:30 +01:00"],
            Fires("*/30 * * * *", "2026-10-25T00:15:00Z", 3));
    }

    [Theory]
    [InlineData("2026-03-01T00:00:00Z", "2026-03-09T12:00:00Z", "09.03. 02:00 +01:00")]
    [InlineData("2026-03-09T01:00:00Z", "2026-03-09T12:00:00Z", null)] // that fire itself has been dealt with
    [InlineData("2026-03-09T00:59:59Z", "2026-03-09T01:00:00Z", "09.03. 02:00 +01:00")]
    [InlineData("1980-01-01T00:00:00Z", "2026-03-09T12:00:00Z", "09.03. 02:00 +01:00")]
    [InlineData("2026-03-09T12:00:00Z", "2026-03-09T11:00:00Z", null)] // a clock that was put back
    public void Of_many_missed_fires_the_latest_counts(string after, string upTo, string? expected) =>
        Assert.Equal(expected, Cadence.Parse("0 2 * * *", Berlin).Latest(Time(after), Time(upTo)) is { } latest ? Write(latest) : null);

    [Fact]
    public void The_latest_fire_is_the_one_that_going_through_all_of_them_finds()
    {
        foreach (var cron in (string[])["* * * * *", "* 2 * * *", "*/7 */5 * * 1-5", "0 0 1 * *", "15,45 3 29 2 *"])
        {
            var cadence = Cadence.Parse(cron, Berlin);
            var start = Time("2023-11-20T10:00:30Z");
            foreach (var hours in (int[])[0, 1, 5, 49, 800, 3000])
            {
                var end = start.AddHours(hours);
                DateTimeOffset? last = null;
                for (var next = cadence.Next(start); next <= end; next = cadence.Next(next.Value))
                {
                    last = next;
                }

                Assert.Equal(last, cadence.Latest(start, end));
            }
        }
    }

    [Theory]
    [InlineData("0 2 * * *", "every day at 02:00")]
    [InlineData("0 0 2 * * *", "every day at 02:00")]
    [InlineData("30 2,14 * * *", "every day at 02:30 and 14:30")]
    [InlineData("0 6 * * 1-5", "every Monday to Friday at 06:00")]
    [InlineData("0 6 * * SAT,SUN", "every Saturday and Sunday at 06:00")]
    [InlineData("0 6 * * 7", "every Sunday at 06:00")]
    [InlineData("*/15 * * * *", "every 15 minutes")]
    [InlineData("* * * * *", "every minute")]
    [InlineData("5 * * * *", "every hour at :05")]
    [InlineData("5 */6 * * *", "every 6 hours at :05")]
    [InlineData("0 3 1,15 * *", "on day 1 and 15 of every month at 03:00")]
    [InlineData("0 3 24 12 *", "every year on 24 December at 03:00")]
    [InlineData("0 3 * * 1#2", "at the times of '0 3 * * 1#2'")]
    [InlineData("0 3 * 6 1", "at the times of '0 3 * 6 1'")]
    [InlineData("0 3 * * 1-3,5", "at the times of '0 3 * * 1-3,5'")]
    [InlineData("30 0 2 * * *", "at the times of '30 0 2 * * *'")]
    public void It_is_said_in_words(string cron, string words) => Assert.Equal($"{words} ({Berlin})", Cadence.Parse(cron, Berlin).Words);

    [Theory]
    [InlineData("0 2 * *", "4 fields")]
    [InlineData("0 25 * * *", "cannot be read")]
    [InlineData("soon", "1 fields")]
    [InlineData("0 0 31 2 *", "never comes")]
    [InlineData("*/30 * * * * *", "more often than once a minute")]
    [InlineData("0,59 0 2 * * *", "more often than once a minute")]
    public void What_cannot_be_kept_is_refused_with_the_reason(string cron, string reason)
    {
        var finding = Assert.Single(FindingsOf(cron, Berlin));

        Assert.Equal("cron", finding.Field);
        Assert.Contains(reason, finding.Message, StringComparison.Ordinal);
        Assert.Contains($"'{cron}'", finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Europe/Berln", "Europe/Berlin")]
    [InlineData("europe/berlin", "Europe/Berlin")]
    [InlineData("Berlin", "Europe/Berlin")]
    [InlineData("America/New York", "America/New_York")]
    public void An_unknown_time_zone_is_named_with_those_that_are_like_it(string typed, string meant)
    {
        var finding = Assert.Single(FindingsOf("0 2 * * *", typed));

        Assert.Equal("time_zone", finding.Field);
        Assert.Contains($"'{typed}'", finding.Message, StringComparison.Ordinal);
        Assert.Contains($"one such as '{meant}'", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_findings_are_named_at_once() => Assert.Equal(["time_zone", "cron"], FindingsOf("0 0 31 2 *", "Nowhere").Select(finding => finding.Field));

    private static IReadOnlyList<Finding> FindingsOf(string cron, string zone) => Assert.Throws<InvalidScheduleException>(() => Cadence.Parse(cron, zone)).Findings;

    private static IEnumerable<string> Fires(string cron, string after, int count)
    {
        var at = Time(after);
        for (var fire = 0; fire < count; fire++)
        {
            at = Cadence.Parse(cron, Berlin).Next(at)!.Value;
            yield return Write(at);
        }
    }

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private static string Write(DateTimeOffset time) => time.ToString("dd.MM. HH:mm zzz", System.Globalization.CultureInfo.InvariantCulture);
}
