using Llava.ModelCore.Imaging;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Tests.Parity;
using Llava.ModelCore.Tokenization;
using Llava.ModelCore.Training;

namespace Llava.ModelCore.Tests.Training;

/// <summary>Samples that upstream would assert on, ignore, or train wrongly with.</summary>
public sealed class SampleRulesTests
{
    private static readonly ConversationTurn Question = new("human", "What is it?");
    private static readonly ConversationTurn Shown = new("human", "<image>\nWhat is it?");
    private static readonly ConversationTurn Answer = new("gpt", "A dog.");

    [Fact]
    public void Sound_samples_have_no_findings()
    {
        Assert.Empty(Check("v1", Sample(null, Question, Answer)));
        Assert.Empty(Check("v1", Sample(null, Answer, Question, Answer)));
        Assert.Empty(Check("v1", Sample(AnImage, Shown, Answer, Question, Answer)));
        Assert.Empty(Check("plain", Sample(AnImage, Shown, Answer)));
    }

    [Fact]
    public void Each_kind_of_fault_is_found_and_names_the_sample()
    {
        Finds("alternate", "v1", Sample(null, Question, Question, Answer));
        Finds("alternate", "v1", Sample(null, Answer, Answer, Question));
        Finds("'system'", "v1", Sample(null, new("system", "Be brief."), Question, Answer));
        Finds("no question", "v1", Sample(null, Question));
        Finds("no question", "v1", Sample(null));
        Finds("writes <image> but has no image", "v1", Sample(null, Shown, Answer));
        Finds("0 turns with <image>", "v1", Sample(AnImage, Question, Answer));
        Finds("2 turns with <image>", "v1", Sample(AnImage, Shown, Answer, Shown, Answer));
        Finds("does not exist", "v1", Sample("no/such.png", Shown, Answer));
        Finds("template's own markers", "v1", Sample(null, Question, new("gpt", "It said ASSISTANT: hello.")));
        Finds("cannot be written in the template", "llava_llama_2", Sample(null, new("human", ""), Answer));
        Finds("takes one question and one caption", "plain", Sample(AnImage, Shown, Answer, Question, Answer));
        Finds("first turn", "plain", Sample(null, Question, Answer));
    }

    [Fact]
    public void An_answer_or_an_image_behind_the_maximum_length_is_found()
    {
        var longQuestion = new ConversationTurn("human", string.Concat(Enumerable.Repeat("dog ", 200)));

        Finds("answer starts behind model_max_length", "v1", Sample(null, longQuestion, Answer), maxLength: 120);
        Finds("image at position", "v1", Sample(AnImage, Question, Answer, longQuestion, Answer, Shown, Answer), maxLength: 120);
    }

    [Fact]
    public void Images_are_decoded_when_asked()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("broken.png"), "not a picture");

        Assert.Empty(Check("v1", Sample(folder.File("broken.png"), Shown, Answer)));
        Finds("bad image", "v1", Sample(folder.File("broken.png"), Shown, Answer), verifiesImages: true);
    }

    private static string AnImage => Directory.EnumerateFiles(TrainingCase.ImageFolder).Order(StringComparer.Ordinal).First();

    private static InstructionSample Sample(string? image, params ConversationTurn[] turns) => new(3, "s3", image, turns);

    private static void Finds(string part, string template, InstructionSample sample, int maxLength = 2048, bool verifiesImages = false)
    {
        var finding = Assert.Single(Check(template, sample, maxLength, verifiesImages));

        Assert.StartsWith("sample 3 ('s3')", finding.Message, StringComparison.Ordinal);
        Assert.Contains(part, finding.Message, StringComparison.Ordinal);
    }

    private static IReadOnlyList<SampleFinding> Check(string template, InstructionSample sample, int maxLength = 2048, bool verifiesImages = false)
    {
        var tokenizer = TokenizerFolder.Open(TrainingCase.TokenizerFolderOf("tokenizer.model"));
        var processor = new SampleProcessor(ConversationTemplates.Find(template), tokenizer, maxLength, usesImageStartEnd: false);
        return new SampleRules(processor, TrainingCase.Images(ImageAspect.Square), verifiesImages).Check([sample]).Findings;
    }
}
