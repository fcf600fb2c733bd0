using Llava.Contracts.Requests;
using Llava.Ledger.Expansion;
using Llava.Scheduler.Expansion;
using Llava.Scheduler.Sources;

namespace Llava.Scheduler.Tests;

public sealed class JobItemsTests
{
    private static readonly JobRequest Request = new() { Model = "m", Source = new() { Kind = SourceKind.Manifest, Path = "x" } };

    [Theory]
    [InlineData(null, "Why?", "Why?")]
    [InlineData("Describe.", "Why?", "Why?")]
    [InlineData("Describe.", null, null)]
    [InlineData("Briefly: {prompt}", "Why?", "Briefly: Why?")]
    [InlineData("What of {title}?", null, "What of Moby Dick?")]
    [InlineData("{title}: {prompt} {{title}}", "Why?", "Moby Dick: Why? {title}")]
    public void The_prompt_is_filled_in_or_left_to_the_job(string? prompt, string? own, string? expected)
    {
        var item = Assert.Single(new JobItems(Request with { Prompt = prompt }).Of(Record("a", own)));

        Assert.Null(item.Rejection);
        Assert.Equal(expected, item.Spec.Prompt);
    }

    [Theory]
    [InlineData(null, JobItems.NoPrompt, "the job's is missing")]
    [InlineData("{prompt}", JobItems.NoPrompt, "the job's needs one")]
    [InlineData("{author}", JobItems.UnknownField, "no field 'author', which the job's prompt asks for; it has title")]
    public void An_item_that_cannot_be_asked_says_what_it_lacks(string? prompt, string code, string reason)
    {
        var rejection = Assert.Single(new JobItems(Request with { Prompt = prompt }).Of(Record("a", null))).Rejection;

        Assert.Equal(code, rejection?.Code);
        Assert.Contains(reason, rejection!.Message, StringComparison.Ordinal);
        Assert.StartsWith("Line 1 of 'x': ", rejection.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Several_prompts_are_each_asked_of_every_item_also_of_one_with_its_own()
    {
        JobItems items = new(Request with { Prompts = ["What?", "{prompt}", "{author}"] });

        var made = items.Of(Record("a", "Why?")).ToList();

        Assert.Equal([("a#1", "What?", null), ("a#2", "Why?", null), ("a#3", "Why?", JobItems.UnknownField)], made.Select(item => (item.Spec.CustomId, item.Spec.Prompt, item.Rejection?.Code)));
    }

    [Fact]
    public void A_rejected_record_gives_as_many_items_as_any_other()
    {
        JobItems items = new(Request with { Prompts = ["What?", "Why?"] });

        var made = items.Of(Record("a", null) with { Item = new(new("line-1", []), new("invalid_line", "why")) });

        Assert.Equal([("line-1#1", "invalid_line"), ("line-1#2", "invalid_line")], made.Select(item => (item.Spec.CustomId, item.Rejection?.Code)));
    }

    [Theory]
    [InlineData(SourceKind.Manifest, JobItems.DuplicateName)]
    [InlineData(SourceKind.OpenAiBatch, JobItems.DuplicateName)]
    [InlineData(SourceKind.Questions, null)]
    [InlineData(SourceKind.Conversations, null)]
    public void A_name_is_given_once_but_in_llavas_own_files(SourceKind kind, string? code)
    {
        JobItems items = new(Request with { Source = Request.Source with { Kind = kind } });

        var codes = Enumerable.Range(1, 3).SelectMany(line => items.Of(Record(line == 2 ? "b" : "a", "Why?", line))).Select(item => item.Rejection?.Code);

        Assert.Equal([null, null, code], codes);
    }

    [Fact]
    public void A_million_names_are_told_apart()
    {
        RecordNames names = new();

        for (var i = 1; i <= 1_000_000; i++)
        {
            Assert.True(names.Add($"item-{i}", i) == i);
        }

        Assert.Equal(77, names.Add("item-77", 1_000_001));
    }

    private static SourceItem Record(string name, string? prompt, int line = 1) => new(new(new(name, ["a.png"], prompt)), "1")
    {
        Place = new("line", line, "x"),
        Fields = new Dictionary<string, string> { ["title"] = "Moby Dick" },
    };
}
