using System.Text.RegularExpressions;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Engine.Chats;
using Llava.ModelCore.Grammars;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Scenes;
using Llava.ModelCore.Tests.Grammars;
using Llava.Testing;
using NJsonSchema;

namespace Llava.ModelCore.Tests.Engine;

/// <summary>Answers of the model that ships, held to a form or chosen among given ones.</summary>
public sealed class BoundAnswerTests : IAsyncLifetime
{
    private const int Seeds = 6;
    private static readonly Scene Drawn = Scene.FromSeed(Scene.FirstHeldOutSeed + 11, maxObjects: 1);
    private static readonly byte[] Picture = ScenePixels.Png(Drawn, 160);

    private readonly LoadedModel _model = LoadedModel.Load(Repository.Path("models", "llava-scenes"), new EngineOptions { KvCacheBytes = 64 << 20, MaxSlots = 16 });

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _model.DisposeAsync();

    [Fact]
    public async Task Every_answer_that_is_over_matches_its_expression()
    {
        var answers = await Task.WhenAll(GrammarCases.Regexes.SelectMany(pattern => AskAsync(Grammar.OfRegex(pattern)).Select(async answer => (Pattern: pattern, Answer: await answer))));
        Assert.All(answers.Where(one => one.Answer.Sequence.Reason == FinishReason.Stop && GrammarCases.CanBeJudged(one.Answer.Text)), one => Assert.Matches(new Regex($@"\A(?:{one.Pattern})\z"), one.Answer.Text));
        Assert.All(answers.Where(one => one.Answer.Sequence.Reason != FinishReason.Stop), AssertOutOfTokens);
        Assert.InRange(answers.Count(one => one.Answer.Sequence.Reason == FinishReason.Stop), answers.Length * 9 / 10, answers.Length);
    }

    [Fact]
    public async Task Every_answer_that_is_over_is_valid_for_its_schema()
    {
        foreach (var schema in GrammarCases.Schemas)
        {
            var judge = await JsonSchema.FromJsonAsync(schema);
            var answers = await Task.WhenAll(AskAsync(Grammar.OfJsonSchema(schema)));
            Assert.All(answers.Where(answer => answer.Sequence.Reason == FinishReason.Stop && GrammarCases.CanBeJudged(answer.Text)), answer => Assert.Empty(judge.Validate(answer.Text)));
            Assert.All(answers.Where(answer => answer.Sequence.Reason != FinishReason.Stop), answer => AssertOutOfTokens((schema, answer)));
        }
    }

    [Fact]
    public async Task What_the_model_knows_is_in_the_form_it_is_asked_for()
    {
        var grammar = Grammar.OfRegex($"[Aa] ({string.Join('|', Enum.GetNames<SceneColor>())}|{string.Join('|', Enum.GetNames<SceneColor>().Select(name => name.ToLowerInvariant()))}) (circle|square|triangle|star|cross|ring)");
        var answer = await _model.AnswerAsync(new Question { Text = "What is this?", Images = [Picture], Grammar = grammar });
        Assert.Contains($"{Drawn.Objects[0].Color} {Drawn.Objects[0].Shape}".ToLowerInvariant(), answer.Text.ToLowerInvariant(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_is_cut_off_for_want_of_tokens_and_says_so()
    {
        var answer = await _model.AnswerAsync(new Question { Text = "Describe this image.", Images = [Picture], Grammar = Grammar.OfRegex("[a-z ]{500}"), Sampling = new() { MaxNewTokens = 5 } });
        Assert.Equal((FinishReason.Length, 5), (answer.Sequence.Reason, answer.Sequence.Tokens.Count));
    }

    [Fact]
    public async Task White_space_around_an_answer_is_kept_and_the_stream_is_the_same_text()
    {
        var grammar = Grammar.OfRegex("  a b [a-z]  ");
        var whole = await _model.AnswerAsync(new Question { Text = "Hi", Grammar = grammar });
        await using var run = _model.Chat.Submit(_model.Chat.Prepare(new() { Turns = [new(Speaker.User, "Hi", [])], Grammar = grammar, Choices = 2 }));
        var texts = new[] { "", "" };
        await foreach (var part in run.ReadAsync())
        {
            texts[part.Choice] += part.Text;
        }

        Assert.Matches(@"\A  a b [a-z]  \z", whole.Text);
        Assert.Equal([whole.Text, whole.Text], texts);
    }

    [Fact]
    public void Stop_strings_and_a_form_do_not_go_together() =>
        Assert.Equal("invalid_settings", Assert.Throws<RequestRefusedException>(() => _model.Prepare(new() { Text = "Hi", Grammar = Grammar.OfRegex("a"), StopStrings = ["b"] })).Code);

    [Fact]
    public async Task Alternatives_are_scored_and_the_likeliest_is_the_answer()
    {
        string[] shapes = ["circle", "square", "triangle", "star", "cross", "ring"];
        var question = new Question { Text = "What shape is the object?", Images = [Picture], Alternatives = shapes };
        var answer = await _model.AnswerAsync(question);

        Assert.Equal(Drawn.Objects[0].Shape.ToString().ToLowerInvariant(), answer.Text);
        Assert.Equal(shapes, answer.Alternatives!.Select(one => one.Text));
        Assert.Equal(1, answer.Alternatives!.Sum(one => one.Probability), 9);
        Assert.Equal(answer.Alternatives!.Max(one => one.Probability), answer.Confidence);
        Assert.Equal(FinishReason.Stop, answer.Sequence.Reason);
        // The prompt was read once: every other sequence copied it.
        Assert.True(answer.Sequence.Usage.CachedTokens >= answer.Sequence.Usage.PromptTokens - 1 || shapes[0] == answer.Text);
    }

    [Fact]
    public async Task A_score_is_the_probability_of_generating_the_answer()
    {
        var free = await _model.AnswerAsync(new Question { Text = "How many objects are there?", Images = [Picture] });
        var scored = await _model.AnswerAsync(new Question { Text = "How many objects are there?", Images = [Picture], Alternatives = [free.Text, "zebra"] });
        var generated = free.Sequence.Confidence.MeanLogProbability * free.Sequence.Tokens.Count;

        Assert.Equal(free.Text, scored.Text);
        Assert.Equal(generated, scored.Alternatives![0].LogProbability, 4);
    }

    [Fact]
    public async Task Alternatives_are_drawn_by_their_probabilities_where_there_is_a_temperature()
    {
        var question = new Question { Text = "How many objects are there?", Images = [Picture], Alternatives = ["1", "2"] };
        var scores = (await _model.AnswerAsync(question)).Alternatives!;
        var draws = await Task.WhenAll(Enumerable.Range(0, 40).Select(seed => _model.AnswerAsync(question with { Sampling = new() { Temperature = 50, Seed = seed } })));

        Assert.All(draws, draw => Assert.Equal(scores.Select(one => one.Probability), draw.Alternatives!.Select(one => one.Probability)));
        Assert.InRange(draws.Count(draw => draw.Text == "2"), 4, 36);
        var again = await _model.AnswerAsync(question with { Sampling = new() { Temperature = 50, Seed = 3 } });
        Assert.Equal(draws[3].Text, again.Text);
    }

    [Fact]
    public async Task A_chat_gives_the_alternative_whole_with_its_tokens()
    {
        var chat = new ChatPrompt { Turns = [new(Speaker.User, "How many objects are there?", [Picture])], Alternatives = ["one", "1", "7"], Choices = 2, ReportsTokens = true };
        await using var run = _model.Chat.Submit(_model.Chat.Prepare(chat));
        List<ChatPart> parts = [];
        await foreach (var part in run.ReadAsync())
        {
            parts.Add(part);
        }

        Assert.Equal([(0, "1"), (1, "1")], parts.Select(part => (part.Choice, part.Text)));
        Assert.All(parts, part => Assert.Equal("1", System.Text.Encoding.UTF8.GetString([.. part.Tokens.SelectMany(token => token.Token.Bytes)]).Trim()));
        Assert.All(parts, part => Assert.Equal(3, part.Alternatives!.Count));
        Assert.All(parts, part => Assert.Equal(FinishReason.Stop, part.Result!.Reason));
    }

    [Theory]
    [InlineData("a", "a")]
    [InlineData("a", "")]
    public void Alternatives_that_cannot_be_told_apart_are_refused(string first, string second) =>
        Assert.Equal("invalid_choices", Assert.Throws<RequestRefusedException>(() => _model.Prepare(new() { Text = "Hi", Alternatives = [first, second] })).Code);

    private static void AssertOutOfTokens((string Form, Answer Answer) one) =>
        Assert.Equal((FinishReason.Length, 200), (one.Answer.Sequence.Reason, one.Answer.Sequence.Tokens.Count));

    private IEnumerable<Task<Answer>> AskAsync(Grammar grammar) => Enumerable.Range(0, Seeds).Select(seed => _model.AnswerAsync(
        new Question { Text = "Describe this image.", Images = [Picture], Grammar = grammar, Sampling = new() { MaxNewTokens = 200, Temperature = 1, Seed = seed } }));
}
