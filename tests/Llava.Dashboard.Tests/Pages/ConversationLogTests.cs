using System.Text.Json;
using Llava.Dashboard.Playground;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Llava.Dashboard.Tests.Pages;

/// <summary>What the playground writes down.</summary>
public sealed class ConversationLogTests : IDisposable
{
    private static readonly ConversationEntry Entry = new("upvote", "scenes", [new("user", "<image>\nWas ist das?"), new("assistant", "Ein Kreis — blau.")]);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-conversations-");
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 28, 23, 59, 0, TimeSpan.Zero));

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_line_has_the_fields_of_the_original_and_a_day_has_a_file()
    {
        var log = Log(new() { Folder = _folder.FullName });
        await log.WriteAsync(Entry, default);
        _time.Advance(TimeSpan.FromMinutes(2));
        await log.WriteAsync(Entry with { Type = "chat" }, default);

        Assert.Equal(["2026-11-28-conv.json", "2026-11-29-conv.json"], _folder.GetFiles().Select(file => file.Name).Order(StringComparer.Ordinal));
        var line = JsonDocument.Parse(Assert.Single(await File.ReadAllLinesAsync(Path.Combine(_folder.FullName, "2026-11-28-conv.json")))).RootElement;
        Assert.Equal((1795910340.0, "upvote", "scenes"), (line.GetProperty("tstamp").GetDouble(), line.GetProperty("type").GetString(), line.GetProperty("model").GetString()));
        Assert.Equal("Ein Kreis — blau.", line.GetProperty("state").GetProperty("messages")[1].GetProperty("content").GetString());
    }

    [Fact]
    public async Task A_full_day_and_a_log_that_is_off_take_nothing_more()
    {
        var full = Log(new() { Folder = _folder.FullName, MaxBytesPerDay = 1024 });
        for (var i = 0; i < 20; i++)
        {
            await full.WriteAsync(Entry, default);
        }

        Assert.InRange(Assert.Single(_folder.GetFiles()).Length, 512, 1024);
        foreach (var off in new PlaygroundOptions[] { new() { Folder = Path.Combine(_folder.FullName, "off"), Log = false }, new() })
        {
            await Log(off).WriteAsync(Entry, default);
            Assert.False(Log(off).IsOn);
        }

        Assert.Empty(_folder.GetDirectories());
    }

    private ConversationLog Log(PlaygroundOptions options) => new(Options.Create(options), _time);
}
