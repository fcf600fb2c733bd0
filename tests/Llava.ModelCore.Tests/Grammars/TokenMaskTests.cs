using System.Text;
using System.Text.RegularExpressions;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Grammars;
using Llava.ModelCore.Grammars.Automata;
using Llava.ModelCore.Tests.Parity;
using Llava.ModelCore.Tokenization;
using Llava.Testing;
using NJsonSchema;

namespace Llava.ModelCore.Tests.Grammars;

/// <summary>Grammars in the tokens of real tokenizers: LLaMA's pieces with bytes and leading spaces, GPT-NeoX's byte-level pairs.</summary>
public sealed class TokenMaskTests
{
    private const int LongestAnswer = 4000;

    public static TheoryData<string> Tokenizers => ["llava-scenes", "A", "D"];

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void The_mask_holds_exactly_the_tokens_whose_text_may_come_next(string name)
    {
        var vocabulary = Vocabulary(name, out var tokenizer);
        TokenAutomaton automaton = new(Grammar.OfRegex(@"(the |an? )?(red|blue) circles? é\.{1,3}"), vocabulary);
        foreach (var (written, isFirst) in (ReadOnlySpan<(string, bool)>)[("", true), ("a ", false), ("the re", false), ("red circle é", false), ("blue circle", false)])
        {
            AssertExact(automaton, automaton.Step(automaton.Start, Encoding.UTF8.GetBytes(written))!, isFirst, tokenizer);
        }
    }

    [Fact]
    public void Masks_are_exact_at_every_token_of_every_grammar()
    {
        var vocabulary = Vocabulary("llava-scenes", out var tokenizer);
        foreach (var grammar in GrammarCases.Regexes.Select(Grammar.OfRegex).Concat(GrammarCases.Schemas.Select(Grammar.OfJsonSchema)))
        {
            TokenAutomaton automaton = new(grammar, vocabulary);
            Random random = new(1);
            var (state, isFirst) = (automaton.Start, true);
            for (var step = 0; step < 60 && state.CanContinue; step++)
            {
                var allowed = AssertExact(automaton, state, isFirst, tokenizer);
                (state, isFirst) = (automaton.Step(state, vocabulary.BytesOf(allowed[random.Next(allowed.Count)], isFirst)!.Value.Span)!, false);
            }
        }
    }

    [Theory]
    [InlineData("llava-scenes", "[a-z ,.]{30,1500}", "a red ball, ")]
    [InlineData("A", "[a-zé]{30,1500}", "rosé")]
    [InlineData("D", "([a-z]{1,3} ){30,1500}", "a red cap ")]
    public void Texts_of_many_lengths_share_their_masks_until_a_bound_comes_near(string name, string pattern, string repeated)
    {
        var vocabulary = Vocabulary(name, out var tokenizer);
        TokenAutomaton automaton = new(Grammar.OfRegex(pattern), vocabulary);
        HashSet<ulong[]> masks = [];
        var (read, last) = (0, automaton.Start);
        for (AutomatonState? state = last; state is not null; state = automaton.Step(state, Encoding.UTF8.GetBytes([repeated[read++ % repeated.Length]])))
        {
            masks.Add(automaton.Mask(last = state, isFirst: false));
            if (read < 100)
            {
                AssertExact(automaton, state, isFirst: false, tokenizer);
            }
        }

        Assert.InRange(read, 1500, 6000);
        AssertExact(automaton, last, isFirst: false, tokenizer);
        Assert.InRange(masks.Count, 2, read / 10);
    }

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void Special_tokens_are_no_text(string name)
    {
        var vocabulary = Vocabulary(name, out var tokenizer);
        TokenAutomaton automaton = new(Grammar.OfRegex(@"[\s\S]+"), vocabulary);
        var mask = automaton.Mask(automaton.Start, isFirst: true);
        Assert.All(Enumerable.Range(0, vocabulary.Count).Where(id => tokenizer.IsSpecial(id) || id == tokenizer.UnkId), id => Assert.Equal(0UL, mask[id >> 6] >> (id & 63) & 1));
    }

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public async Task Random_logits_always_write_what_was_asked_for(string name)
    {
        var vocabulary = Vocabulary(name, out var tokenizer);
        foreach (var pattern in GrammarCases.Regexes)
        {
            var judge = new Regex($@"\A(?:{pattern})\z", RegexOptions.CultureInvariant);
            TokenAutomaton automaton = new(Grammar.OfRegex(pattern), vocabulary);
            Assert.All(Enumerable.Range(0, 20).Select(seed => Write(automaton, tokenizer, seed)).OfType<string>().Where(GrammarCases.CanBeJudged), text => Assert.Matches(judge, text));
        }

        foreach (var schema in GrammarCases.Schemas)
        {
            var judge = await JsonSchema.FromJsonAsync(schema);
            TokenAutomaton automaton = new(Grammar.OfJsonSchema(schema), vocabulary);
            var answers = Enumerable.Range(0, 20).Select(seed => Write(automaton, tokenizer, seed)).OfType<string>().Where(GrammarCases.CanBeJudged).ToList();
            Assert.NotEmpty(answers);
            Assert.All(answers, text => Assert.Empty(judge.Validate(text)));
        }
    }

    [Fact]
    public void Equal_grammars_share_what_was_worked_out_and_old_ones_are_forgotten()
    {
        GrammarCache cache = new(() => Vocabulary("llava-scenes", out _), capacity: 2);
        var first = cache.Get(Grammar.OfRegex("a"));
        Assert.Same(first, cache.Get(Grammar.OfRegex("a")));
        cache.Get(Grammar.OfRegex("b"));
        Assert.Same(first, cache.Get(Grammar.OfRegex("a")));
        cache.Get(Grammar.OfRegex("c"));
        cache.Get(Grammar.OfRegex("d"));
        Assert.NotSame(first, cache.Get(Grammar.OfRegex("a")));
    }

    [Fact]
    public void What_a_vocabulary_cannot_write_is_refused()
    {
        var vocabulary = TokenVocabulary.Of(Tokenizer("D"), limit: 3);
        Assert.Throws<GrammarException>(() => new TokenAutomaton(Grammar.OfRegex("é"), vocabulary));
    }

    [Fact]
    public void Masks_allocate_nothing_once_they_are_known()
    {
        TokenAutomaton automaton = new(Grammar.OfJsonObject(), Vocabulary("llava-scenes", out var tokenizer));
        var (sampler, logits, settings) = (new Sampler(), new float[automaton.Vocabulary.Count], new SamplingSettings { StopTokens = [tokenizer.EosId!.Value] });
        TokenConstraint constraint = new(automaton);
        sampler.Sample(logits, [], settings, seed: 1, step: 0, constraint);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            sampler.Sample(logits, [], settings, seed: 1, step: 0, constraint);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    /// <summary>Compares a mask with every token's own text.</summary>
    /// <returns>The tokens that are allowed.</returns>
    private static List<int> AssertExact(TokenAutomaton automaton, AutomatonState state, bool isFirst, ITokenizer tokenizer)
    {
        List<int> allowed = [];
        var mask = automaton.Mask(state, isFirst);
        for (var id = 0; id < automaton.Vocabulary.Count; id++)
        {
            var fits = automaton.Vocabulary.BytesOf(id, isFirst) is { } bytes && automaton.Step(state, bytes.Span) is not null;
            Assert.True(fits == ((mask[id >> 6] >> (id & 63) & 1) == 1), $"'{tokenizer.TokenOf(id)}' {(fits ? "is missing" : "is wrong")}");
            if (fits)
            {
                allowed.Add(id);
            }
        }

        return allowed;
    }

    /// <summary>An answer drawn from random logits at temperature 1, read as the engine reads it; null where it was not over in time.</summary>
    private static string? Write(TokenAutomaton automaton, ITokenizer tokenizer, int seed)
    {
        var (random, sampler, constraint) = (new Random(seed), new Sampler(), new TokenConstraint(automaton));
        var settings = new SamplingSettings { Temperature = 1, StopTokens = [tokenizer.EosId!.Value] };
        StringBuilder text = new();
        ConstrainedDecoder decoder = new(automaton.Vocabulary);
        var logits = new float[automaton.Vocabulary.Count];
        for (var step = 0; step < LongestAnswer; step++)
        {
            for (var i = 0; i < logits.Length; i++)
            {
                logits[i] = (float)((random.NextDouble() * 8) - 4);
            }

            var token = sampler.Sample(logits, [], settings, seed, step, constraint).Id;
            if (token != tokenizer.EosId)
            {
                constraint.Accept(token);
                decoder.Append(token, text);
            }

            if (token == tokenizer.EosId || constraint.IsFinished)
            {
                Assert.True(constraint.MayEnd);
                decoder.Complete(text);
                return text.ToString();
            }
        }

        return null;
    }

    private static TokenVocabulary Vocabulary(string name, out ITokenizer tokenizer)
    {
        tokenizer = Tokenizer(name);
        return TokenVocabulary.Of(tokenizer, tokenizer.VocabularySize);
    }

    private static ITokenizer Tokenizer(string name) => TokenizerFolder.Open(name == "llava-scenes"
        ? Repository.Path("models", name)
        : Directory.EnumerateDirectories(FixtureFolder.Case(name)).First(folder => Directory.EnumerateFiles(folder, "tokenizer*").Any()));
}
