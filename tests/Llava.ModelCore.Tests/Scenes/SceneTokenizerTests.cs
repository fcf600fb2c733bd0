using Llava.ModelCore.Prompts;
using Llava.ModelCore.Scenes;
using Llava.ModelCore.Tokenization;
using Llava.ModelCore.Training.Scenes;
using Reference = Microsoft.ML.Tokenizers.LlamaTokenizer;

namespace Llava.ModelCore.Tests.Scenes;

public sealed class SceneTokenizerTests(SceneTokenizerTests.Trained trained) : IClassFixture<SceneTokenizerTests.Trained>
{
    private readonly SceneTokenizer _scenes = trained.Scenes;
    private readonly ITokenizer _tokenizer = trained.Tokenizer;

    [Theory]
    [InlineData("A red circle and two blue stars on a gray background.")]
    [InlineData("a word that was never seen: Zwölfboxkämpfer 42 猫")]
    [InlineData("two  spaces and\nlines")]
    public void Any_text_comes_back_unchanged(string text) => Assert.Equal(text, _tokenizer.Decode(_tokenizer.Encode(text), skipSpecial: true));

    [Fact]
    public void Words_of_the_answers_are_single_pieces()
    {
        foreach (var word in "A red green blue yellow purple orange black white circle square triangle star cross ring yes no nothing background".Split(' '))
        {
            Assert.True(_scenes.Word(word).Length == 1, $"'{word}' is {_scenes.Word(word).Length} pieces.");
        }
    }

    [Fact]
    public void Digits_stand_alone() => Assert.Equal(4, _scenes.Word("123").Length);

    [Fact]
    public void Training_again_gives_the_same_file()
    {
        using var again = new Trained();

        Assert.Equal(trained.ModelFile, again.ModelFile);
    }

    [Fact]
    public void Microsofts_reading_of_the_file_gives_the_same_ids()
    {
        using var stream = new MemoryStream(trained.ModelFile);
        var reference = Reference.Create(stream, addBeginOfSentence: false, addEndOfSentence: false);
        foreach (var q in Questions(40))
        {
            Assert.Equal(reference.EncodeToIds($"{q.Question} {q.Answer}"), _tokenizer.Encode($"{q.Question} {q.Answer}", addBos: false));
        }
    }

    [Fact]
    public void A_segment_has_the_ids_of_the_whole_single_turn_prompt()
    {
        foreach (var q in Questions(50))
        {
            var prompt = Start().Add(Speaker.User, $"<image>\n{q.Question}").Add(Speaker.Assistant, q.Answer).ToPrompt();

            int[] segment = [.. _scenes.Prefix, ImagePlaceholder.TokenId, .. _scenes.Question(q.Question, isFirst: true), .. _scenes.Answer(q.Question, q.Answer, isFirst: true)];

            Assert.Equal(ImagePlaceholder.Encode(_tokenizer, prompt), segment);
        }
    }

    [Fact]
    public void The_start_of_an_answer_is_where_generation_begins()
    {
        foreach (var q in Questions(20))
        {
            var prompt = Start().Add(Speaker.User, $"<image>\n{q.Question}").Add(Speaker.Assistant, null).ToPrompt();

            Assert.Equal(ImagePlaceholder.Encode(_tokenizer, prompt), [.. _scenes.Prefix, ImagePlaceholder.TokenId, .. _scenes.Question(q.Question, isFirst: true)]);
        }
    }

    [Fact]
    public void A_conversation_has_the_ids_of_the_whole_prompt()
    {
        var turns = Questions(1).ToArray();
        var conversation = Start();
        List<int> ids = [.. _scenes.Prefix, ImagePlaceholder.TokenId];
        foreach (var (i, q) in turns.Index())
        {
            conversation = conversation.Add(Speaker.User, i == 0 ? $"<image>\n{q.Question}" : q.Question).Add(Speaker.Assistant, q.Answer);
            ids.AddRange([.. _scenes.Question(q.Question, i == 0), .. _scenes.Answer(q.Question, q.Answer, i == 0)]);
        }

        Assert.Equal(ImagePlaceholder.Encode(_tokenizer, conversation.ToPrompt()), ids);
    }

    [Fact]
    public void A_language_without_enough_pieces_is_refused()
    {
        var error = Assert.Throws<SceneTrainingException>(() => SceneTokenizer.Train(Path.GetTempPath(), 5000, 4));

        Assert.Contains("lower vocabularySize", error.Message);
    }

    [Fact]
    public void The_most_frequent_pair_merges_first_and_never_across_words()
    {
        var pieces = BytePairTrainer.Learn(["ab ab ab abc", "b1b1"], 1000);

        Assert.Equal("ab", pieces[0]);
        Assert.Equal(["▁ab", "▁abc"], pieces.Where(p => p.Contains("ab", StringComparison.Ordinal) && p[0] == '▁'));
        Assert.DoesNotContain(pieces, p => p.Length > 1 && p.Any(char.IsDigit));
    }

    private static Conversation Start() => Conversation.Start(ConversationTemplates.Find(SceneTokenizer.TemplateName));

    private static IEnumerable<SceneQuestion> Questions(int scenes) =>
        Enumerable.Range(0, scenes).SelectMany(seed => new SceneQuestions(Scene.FromSeed(seed, 4)).OneOfEach());

    public sealed class Trained : IDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

        public Trained()
        {
            Scenes = SceneTokenizer.Train(_folder, 768, 4);
            Tokenizer = TokenizerFolder.Open(_folder);
            ModelFile = File.ReadAllBytes(Path.Combine(_folder, "tokenizer.model"));
        }

        public SceneTokenizer Scenes { get; }

        public ITokenizer Tokenizer { get; }

        public byte[] ModelFile { get; }

        public void Dispose() => Directory.Delete(_folder, recursive: true);
    }
}
