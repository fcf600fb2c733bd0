using Llava.ModelCore.Prompts;

namespace Llava.ModelCore.Tests.Prompts;

public sealed class TemplateSelectionTests
{
    [Theory]
    [InlineData("llava-llama-2-13b-chat", LlavaRevision.V10, "llava_llama_2")]
    [InlineData("LLaVA-v1.5-7B", LlavaRevision.V12, "llava_v1")]
    [InlineData("llava-v1.6-mistral-7b", LlavaRevision.V12, "mistral_instruct")]
    [InlineData("llava-v1.6-mistral-7b", LlavaRevision.V10, "llava_v1")]
    [InlineData("llava-v1.6-34b", LlavaRevision.V12, "chatml_direct")]
    [InlineData("llava-mpt-7b", LlavaRevision.V12, "mpt")]
    [InlineData("anything", LlavaRevision.V12, "llava_v0")]
    [InlineData("llava-13b-v1-lora", LlavaRevision.V01, "vicuna_v1_1")]
    [InlineData("llava-7b", LlavaRevision.V01, "multimodal")]
    [InlineData("koala-7b", LlavaRevision.V01, "bair_v1")]
    public void The_command_line_chooses_by_name(string model, LlavaRevision revision, string template) =>
        Assert.Equal(template, TemplateSelection.ForModelName(model, revision).Name);

    [Theory]
    [InlineData("llava-v1-plain", LlavaRevision.V12, "v1_mmtag")]
    [InlineData("llava-v1-plain-finetune", LlavaRevision.V12, "llava_v1")]
    [InlineData("llava-mmtag", LlavaRevision.V10, "v0_mmtag")]
    [InlineData("llava-v1.6-mixtral-hermes", LlavaRevision.V12, "chatml_direct")]
    [InlineData("llava-mistral-orca", LlavaRevision.V12, "chatml_direct")]
    [InlineData("llava-v1.6-34b", LlavaRevision.V12, "chatml_direct")]
    [InlineData("mpt-7b", LlavaRevision.V12, "mpt")]
    [InlineData("llama-2-7b", LlavaRevision.V10, "llama_2")]
    [InlineData("vicuna-7b", LlavaRevision.V10, "vicuna_v1")]
    public void The_web_interface_chooses_by_name(string model, LlavaRevision revision, string template) =>
        Assert.Equal(template, TemplateSelection.ForWebInterface(model, revision).Name);

    [Theory]
    [InlineData("llava-plain", "v1", "v1_mmtag")]
    [InlineData("llava-plain-finetune", "llava_v1", "llava_v1")]
    [InlineData("llava-plain", "v0_mmtag", "v0_mmtag")]
    public void Evaluation_of_a_caption_model_uses_image_tags(string model, string template, string chosen) =>
        Assert.Equal(chosen, TemplateSelection.ForEvaluation(model, template).Name);
}
