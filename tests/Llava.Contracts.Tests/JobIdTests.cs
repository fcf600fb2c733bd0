using System.Text.Json;

namespace Llava.Contracts.Tests;

public sealed class JobIdTests
{
    private static readonly DateTimeOffset Moment = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(long.MaxValue)]
    public void A_job_id_survives_its_text(long value) => Assert.Equal(new JobId(value), JobId.Parse(new JobId(value).ToString()));

    [Fact]
    public void A_later_job_sorts_after_an_earlier_one_as_number_and_as_text()
    {
        var earlier = JobId.New(Moment);
        var later = JobId.New(Moment.AddMilliseconds(1));

        Assert.True(earlier < later);
        Assert.True(string.CompareOrdinal(earlier.ToString(), later.ToString()) < 0);
    }

    [Fact]
    public void Jobs_of_the_same_moment_differ() => Assert.NotEqual(JobId.New(Moment), JobId.New(Moment));

    [Theory]
    [InlineData("")]
    [InlineData("job_")]
    [InlineData("job_00000000000")]
    [InlineData("job_000000000000u")]
    [InlineData("run_0000000000000")]
    [InlineData("job_zzzzzzzzzzzzz")]
    public void What_is_no_job_id_is_refused(string text)
    {
        Assert.False(JobId.TryParse(text, null, out _));
        Assert.Throws<FormatException>(() => JobId.Parse(text));
    }

    [Fact]
    public void A_job_id_is_a_string_in_json()
    {
        var id = JobId.New(Moment);
        var json = JsonSerializer.Serialize(id);

        Assert.Equal($"\"{id}\"", json);
        Assert.Equal(id, JsonSerializer.Deserialize<JobId>(json.ToUpperInvariant()));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<JobId>("\"nothing\""));
    }
}
