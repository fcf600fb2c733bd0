using Llava.ModelCore.Scenes;
using Llava.ModelCore.Training.Scenes;

namespace Llava.ModelCore.Tests.Scenes;

public sealed class SceneTokenizerTests(SceneTokenizerTests.Trained trained) : IClassFixture<SceneTokenizerTests.Trained>
{
    private readonly SceneTokenizer _tokenizer = trained.Tokenizer;

    [Theory]
    [InlineData("A red circle and two blue stars on a gray background.")]
    [InlineData("a word that was never seen: Zwölfboxkämpfer 42 猫")]
    [InlineData("two  spaces and\nlines")]
    public void Any_text_comes_back_unchanged(string text) => Assert.Equal(text, _tokenizer.Decode(_tokenizer.Encode(text)));

    [Fact]
    public void Words_of_the_answers_are_single_pieces()
    {
        foreach (var word in "A red green blue yellow purple orange black white circle square triangle star cross ring yes no nothing background".Split(' '))
        {
            Assert.True(_tokenizer.Encode(word).Length == 1, $"'{word}' is {_tokenizer.Encode(word).Length} pieces.");
        }
    }

    [Fact]
    public void Digits_stand_alone() => Assert.Equal(4, _tokenizer.Encode("123").Length);

    [Fact]
    public void Training_again_gives_the_same_file() => Assert.Equal(_tokenizer.Model, SceneTokenizer.Train(768, 4).Model);

    [Fact]
    public void A_segment_has_the_ids_of_the_whole_single_turn_prompt()
    {
        const string system = "A chat between a curious user and an artificial intelligence assistant. "
            + "The assistant gives helpful, detailed, and polite answers to the user's questions.";
        foreach (var q in Enumerable.Range(0, 50).SelectMany(seed => new SceneQuestions(Scene.FromSeed(seed, 4)).OneOfEach()))
        {
            var chunks = $"{system} USER: <image>\n{q.Question} ASSISTANT: {q.Answer}".Split("<image>");
            int[] whole = [SceneTokenizer.Start, .. _tokenizer.Encode(chunks[0]), -200, .. _tokenizer.Encode(chunks[1]), SceneTokenizer.End];

            int[] segment = [.. _tokenizer.Prefix, -200, .. _tokenizer.Question(q.Question, isFirst: true), .. _tokenizer.Answer(q.Question, q.Answer, isFirst: true)];

            Assert.Equal(whole, segment);
        }
    }

    [Fact]
    public void A_language_without_enough_pieces_is_refused()
    {
        var error = Assert.Throws<SceneTrainingException>(() => SceneTokenizer.Train(5000, 4));

        Assert.Contains("lower vocabularySize", error.Message);
    }

    [Fact]
    public void The_most_frequent_pair_merges_first_and_never_across_words()
    {
        var pieces = BytePairTrainer.Learn(["ab ab ab abc", "b1b1"], 1000);

        Assert.Equal(["▁ab", "▁abc"], pieces.Where(p => p.Length > 2));
        Assert.Equal("ab", pieces[0].Length == 2 ? pieces[0] : "");
        Assert.DoesNotContain(pieces, p => p.Length > 1 && p.Any(char.IsDigit));
    }

    public sealed class Trained
    {
        public SceneTokenizer Tokenizer { get; } = SceneTokenizer.Train(768, 4);
    }
}
