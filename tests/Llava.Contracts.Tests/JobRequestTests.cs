using Llava.Contracts.Requests;

namespace Llava.Contracts.Tests;

public sealed class JobRequestTests
{
    private static readonly JobRequest Good = new() { Model = "scenes", Source = new() { Kind = SourceKind.Folder, Path = "images" } };

    [Fact]
    public void A_request_with_nothing_but_a_model_and_a_source_is_accepted() => Assert.Empty(Good.Validate());

    [Fact]
    public void All_findings_come_at_once()
    {
        var bad = Good with
        {
            Model = " ",
            Prompt = "",
            Tenant = "",
            Priority = 101,
            IdempotencyKey = "",
            ImageAspect = "wide",
            ChunkItems = 0,
            CompletionWindow = TimeSpan.Zero,
            Source = new() { Kind = (SourceKind)99, Path = "" },
            Generation = new() { MaxNewTokens = 0, Temperature = double.NaN, TopP = 0, TopK = -1, RepetitionPenalty = 0, StopStrings = [""] },
        };

        Assert.Equal(
            [
                "chunk_items", "completion_window", "generation.max_new_tokens", "generation.repetition_penalty", "generation.stop_strings",
                "generation.temperature", "generation.top_k", "generation.top_p", "idempotency_key", "image_aspect", "model", "priority", "prompt",
                "source.kind", "source.path", "tenant",
            ],
            bad.Validate().Select(finding => finding.Field).Order(StringComparer.Ordinal));
        Assert.Contains("image_aspect", new InvalidJobRequestException(bad.Validate()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, null, false, true)]
    [InlineData(0, null, true, true)]
    [InlineData(0.5, null, false, false)]
    [InlineData(0.5, 3L, false, true)]
    [InlineData(0.5, 3L, true, false)] // the seed is each item's own, and equal items would share one answer
    public void Answers_are_kept_only_where_the_same_question_always_gets_the_same(double temperature, long? seed, bool deduplicate, bool isAccepted)
    {
        var findings = (Good with { Cache = true, Deduplicate = deduplicate, Generation = new() { Temperature = temperature, Seed = seed } }).Validate();

        Assert.Equal(isAccepted ? [] : ["cache"], findings.Select(finding => finding.Field));
    }

    [Fact]
    public void What_answers_look_like_is_said_once_and_can_be_used()
    {
        var schema = System.Text.Json.JsonElement.Parse("{}");
        Assert.Empty(Findings(new() { Choices = ["yes", "no"] }));
        Assert.Empty(Findings(new() { JsonSchema = schema }));
        Assert.Equal(["generation"], Findings(new() { Regex = "a", JsonSchema = schema }));
        Assert.Equal(["generation.stop_strings"], Findings(new() { Regex = "a", StopStrings = ["b"] }));
        Assert.Equal(["generation.regex"], Findings(new() { Regex = "" }));
        Assert.Equal(["generation.json_schema"], Findings(new() { JsonSchema = System.Text.Json.JsonElement.Parse("3") }));
        Assert.All((string[][])[[], ["a", "a"], [""], [.. Enumerable.Range(0, 257).Select(i => $"{i}")]], choices => Assert.Equal(["generation.choices"], Findings(new() { Choices = choices })));

        static IEnumerable<string> Findings(GenerationSettings generation) => (Good with { Generation = generation }).Validate().Select(finding => finding.Field);
    }

    [Fact]
    public void A_request_survives_json()
    {
        var request = Good with { Prompt = "What is {prompt}?", Generation = new() { Temperature = 0.2, Seed = 7, StopStrings = ["###"] }, Open = true, CompletionWindow = TimeSpan.FromHours(24) };
        var json = RequestJson.Write(request);

        Assert.Equal(json, RequestJson.Write(RequestJson.Read(json)));
        Assert.True(RequestJson.Read(json).Open);
        Assert.Contains("\"max_new_tokens\":512", json, StringComparison.Ordinal);
        Assert.Contains("\"kind\":\"folder\"", json, StringComparison.Ordinal);
    }

    [Fact]
    public void What_json_leaves_out_has_its_default()
    {
        var request = RequestJson.Read("""{"model":"scenes","source":{"kind":"manifest","path":"a.jsonl"},"generation":{"temperature":0.5}}""");

        Assert.Empty(request.Validate());
        Assert.Equal(512, request.Generation.MaxNewTokens);
        Assert.Equal(1, request.Generation.TopP);
        Assert.Equal(32, request.ChunkItems);
        Assert.Equal("default", request.Tenant);
        Assert.True(request.Source.Recursive);
        Assert.False(request.Open);
    }

    [Fact]
    public void A_sample_is_some_records_of_a_closed_job()
    {
        Assert.Empty((Good with { Sample = 1000, Prompts = [.. Enumerable.Range(0, 10).Select(i => $"{i}?")] }).Validate());
        Assert.All((int[])[0, -1, 1001], sample => Assert.Equal("sample", Assert.Single((Good with { Sample = sample }).Validate()).Field));
        Assert.Equal("sample", Assert.Single((Good with { Sample = 1000, Prompts = [.. Enumerable.Range(0, 11).Select(i => $"{i}?")] }).Validate()).Field);
        Assert.Equal("sample", Assert.Single((Good with { Sample = 5, Open = true }).Validate()).Field);
        Assert.Equal("expected", Assert.Single((Good with { Expected = "" }).Validate()).Field);
    }

    [Fact]
    public void One_prompt_or_several_but_not_both()
    {
        Assert.Empty((Good with { Prompts = ["What?", "Why?"] }).Validate());
        Assert.Equal("prompts", Assert.Single((Good with { Prompt = "What?", Prompts = ["Why?"] }).Validate()).Field);
        Assert.Equal("prompts", Assert.Single((Good with { Prompts = ["What?", " "] }).Validate()).Field);
    }
}
