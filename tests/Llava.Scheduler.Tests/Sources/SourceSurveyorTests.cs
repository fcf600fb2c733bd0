using Llava.Contracts.Requests;
using Llava.Scheduler.Sources;

namespace Llava.Scheduler.Tests.Sources;

public sealed class SourceSurveyorTests : SourceFolder
{
    [Fact]
    public async Task Items_are_counted_as_the_expansion_would_make_them()
    {
        WriteImages("a.png", "b.png");
        var path = Write("m.jsonl", """{"image":"a.png","title":"x"}""", "{broken", """{"image":"gone.png"}""", """{"image":"b.png","title":"y"}""");

        var survey = await SurveyAsync(new() { Kind = SourceKind.Manifest, Path = path }, "Is this {title}?", "What is it?");

        // Each of the four gives two items; the broken one is refused, and so is the one without a title and image.
        Assert.Equal(8, survey.Items + survey.Rejected);
        Assert.Equal(["Is this x?", "What is it?", "Is this y?", "What is it?"], survey.Shown.Where(item => item.Images[0].EndsWith("a.png", StringComparison.Ordinal) || item.Images[0].EndsWith("b.png", StringComparison.Ordinal)).Select(item => item.Prompt));
        Assert.False(survey.IsCut);
    }

    [Fact]
    public async Task Of_many_items_some_from_all_of_the_source_are_shown()
    {
        WriteImages("a.png");
        var path = Write("m.jsonl", [.. Enumerable.Range(0, 1000).Select(i => $$"""{"id":"{{i}}","image":"a.png"}""")]);

        var survey = await SurveyAsync(new() { Kind = SourceKind.Manifest, Path = path }, "?");

        Assert.Equal((1000, 0, 64), (survey.Items, survey.Rejected, survey.Shown.Count));
        Assert.Equal(64, survey.Shown.Select(item => item.CustomId).Distinct().Count());
        Assert.InRange(survey.Shown.Count(item => int.Parse(item.CustomId, System.Globalization.CultureInfo.InvariantCulture) >= 500), 16, 48);
    }

    [Fact]
    public async Task A_source_that_may_not_be_read_is_refused_like_its_job()
    {
        var refused = await Assert.ThrowsAsync<SourceException>(() => SurveyAsync(new() { Kind = SourceKind.Folder, Path = Outside }, "?"));

        Assert.Equal("path_not_allowed", refused.Code);
    }

    private Task<SurveyedSource> SurveyAsync(SourceDescription source, params string[] prompts) =>
        new SourceSurveyor(Roots, files: null).SurveyAsync(new() { Model = "m", Prompt = prompts is [var only] ? only : null, Prompts = prompts.Length > 1 ? prompts : [], Source = source });
}
