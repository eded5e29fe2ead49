/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/schema.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FIELDS(...)                                                                                \
	{                                                                                          \
		(const struct schema_field[]){__VA_ARGS__},                                        \
			COUNT(((const struct schema_field[]){__VA_ARGS__}))                        \
	}
#define TYPES(...)                                                                                 \
	{                                                                                          \
		(const uint8_t[]){SCHEMA_NONE, __VA_ARGS__},                                       \
			COUNT(((const uint8_t[]){SCHEMA_NONE, __VA_ARGS__}))                       \
	}

#define SKIP(name)                                                                                 \
	{                                                                                          \
		name, SCHEMA_SKIP, 0, 0, 0                                                         \
	}
#define NUMBER(name, bytes)                                                                        \
	{                                                                                          \
		name, SCHEMA_SCALAR, bytes, 0, 0                                                   \
	}
#define ENUM(name, last)                                                                           \
	{                                                                                          \
		name, SCHEMA_ENUM, 1, last, 0                                                      \
	}
#define ENUM32(name, last)                                                                         \
	{                                                                                          \
		name, SCHEMA_ENUM, 4, last, 0                                                      \
	}
#define STRING(name)                                                                               \
	{                                                                                          \
		name, SCHEMA_STRING, 0, 0, 0                                                       \
	}
#define VECTOR(name, bytes)                                                                        \
	{                                                                                          \
		name, SCHEMA_VECTOR, bytes, 0, 0                                                   \
	}
#define TABLE(name, type)                                                                          \
	{                                                                                          \
		name, SCHEMA_TABLE, 0, 0, SCHEMA_##type                                            \
	}
#define TABLES(name, type)                                                                         \
	{                                                                                          \
		name, SCHEMA_TABLES, 4, 0, SCHEMA_##type                                           \
	}
#define STRINGS(name)                                                                              \
	{                                                                                          \
		name, SCHEMA_STRINGS, 4, 0, 0                                                      \
	}
#define UNION(name, type)                                                                          \
	{name "_type", SCHEMA_UNION_TYPE, 1, 0, SCHEMA_UNION_##type},                              \
	{                                                                                          \
		name, SCHEMA_UNION, 0, 0, SCHEMA_UNION_##type                                      \
	}

const struct schema_table schema_tables[SCHEMA_TYPE_COUNT] = {
	[SCHEMA_MODEL] = FIELDS(NUMBER("version", 4), TABLES("operator_codes", OPERATOR_CODE),
		TABLES("subgraphs", SUBGRAPH), STRING("description"), TABLES("buffers", BUFFER),
		VECTOR("metadata_buffer", 4), TABLES("metadata", METADATA),
		TABLES("signature_defs", SIGNATURE_DEF),
		TABLES("external_buffer_groups", EXTERNAL_BUFFER_GROUP),
		TABLES("external_buffers", EXTERNAL_BUFFER)),
	[SCHEMA_OPERATOR_CODE] = FIELDS(NUMBER("deprecated_builtin_code", 1), STRING("custom_code"),
		NUMBER("version", 4), NUMBER("builtin_code", 4)),
	[SCHEMA_SUBGRAPH] = FIELDS(TABLES("tensors", TENSOR), VECTOR("inputs", 4),
		VECTOR("outputs", 4), TABLES("operators", OPERATOR), STRING("name"),
		NUMBER("debug_metadata_index", 4)),
	[SCHEMA_TENSOR] = FIELDS(VECTOR("shape", 4), ENUM("type", 18), NUMBER("buffer", 4),
		STRING("name"), TABLE("quantization", QUANTIZATION_PARAMETERS),
		NUMBER("is_variable", 1), TABLE("sparsity", SPARSITY_PARAMETERS),
		VECTOR("shape_signature", 4), NUMBER("has_rank", 1),
		TABLES("variant_tensors", VARIANT_SUB_TYPE), NUMBER("external_buffer", 4)),
	[SCHEMA_QUANTIZATION_PARAMETERS] = FIELDS(VECTOR("min", 4), VECTOR("max", 4),
		VECTOR("scale", 4), VECTOR("zero_point", 8), UNION("details", QUANTIZATION_DETAILS),
		NUMBER("quantized_dimension", 4)),
	[SCHEMA_CUSTOM_QUANTIZATION] = FIELDS(VECTOR("custom", 1)),
	[SCHEMA_BLOCKWISE_QUANTIZATION] =
		FIELDS(NUMBER("scales", 4), NUMBER("zero_points", 4), NUMBER("block_size", 4)),
	[SCHEMA_MULTI_AXIS_QUANTIZATION] = FIELDS(NUMBER("scales", 4), NUMBER("zero_points", 4),
		NUMBER("block_size", 4), VECTOR("quantized_dimensions", 4)),
	[SCHEMA_SPARSITY_PARAMETERS] = FIELDS(VECTOR("traversal_order", 4), VECTOR("block_map", 4),
		TABLES("dim_metadata", DIMENSION_METADATA)),
	[SCHEMA_DIMENSION_METADATA] = FIELDS(ENUM("format", 1), NUMBER("dense_size", 4),
		UNION("array_segments", SPARSE_INDEX_VECTOR),
		UNION("array_indices", SPARSE_INDEX_VECTOR)),
	[SCHEMA_INT32_VECTOR] = FIELDS(VECTOR("values", 4)),
	[SCHEMA_UINT16_VECTOR] = FIELDS(VECTOR("values", 2)),
	[SCHEMA_UINT8_VECTOR] = FIELDS(VECTOR("values", 1)),
	[SCHEMA_VARIANT_SUB_TYPE] =
		FIELDS(VECTOR("shape", 4), ENUM("type", 22), NUMBER("has_rank", 1)),
	[SCHEMA_OPERATOR] = FIELDS(NUMBER("opcode_index", 4), VECTOR("inputs", 4),
		VECTOR("outputs", 4), UNION("builtin_options", BUILTIN_OPTIONS),
		VECTOR("custom_options", 1), ENUM("custom_options_format", 0),
		VECTOR("mutating_variable_inputs", 1), VECTOR("intermediates", 4),
		NUMBER("large_custom_options_offset", 8), NUMBER("large_custom_options_size", 8),
		UNION("builtin_options_2", BUILTIN_OPTIONS_2), NUMBER("debug_metadata_index", 4)),
	[SCHEMA_BUFFER] = FIELDS(VECTOR("data", 1), NUMBER("offset", 8), NUMBER("size", 8)),
	[SCHEMA_EXTERNAL_BUFFER_GROUP] = FIELDS(STRING("name")),
	[SCHEMA_EXTERNAL_BUFFER] = FIELDS(NUMBER("id", 4), NUMBER("group", 4), NUMBER("offset", 8),
		NUMBER("length", 8), STRING("packing")),
	[SCHEMA_METADATA] = FIELDS(STRING("name"), NUMBER("buffer", 4)),
	[SCHEMA_TENSOR_MAP] = FIELDS(STRING("name"), NUMBER("tensor_index", 4)),
	[SCHEMA_SIGNATURE_DEF] = FIELDS(TABLES("inputs", TENSOR_MAP), TABLES("outputs", TENSOR_MAP),
		STRING("signature_key"), SKIP("deprecated_tag"), NUMBER("subgraph_index", 4)),
	[SCHEMA_CONV_2D_OPTIONS] =
		FIELDS(ENUM("padding", 1), NUMBER("stride_w", 4), NUMBER("stride_h", 4),
			ENUM("fused_activation_function", 5), NUMBER("dilation_w_factor", 4),
			NUMBER("dilation_h_factor", 4), ENUM("quantized_bias_type", 22)),
	[SCHEMA_DEPTHWISE_CONV_2D_OPTIONS] =
		FIELDS(ENUM("padding", 1), NUMBER("stride_w", 4), NUMBER("stride_h", 4),
			NUMBER("depth_multiplier", 4), ENUM("fused_activation_function", 5),
			NUMBER("dilation_w_factor", 4), NUMBER("dilation_h_factor", 4)),
	[SCHEMA_CONCAT_EMBEDDINGS_OPTIONS] = FIELDS(NUMBER("num_channels", 4),
		VECTOR("num_columns_per_channel", 4), VECTOR("embedding_dim_per_channel", 4)),
	[SCHEMA_LSH_PROJECTION_OPTIONS] = FIELDS(ENUM("type", 2)),
	[SCHEMA_POOL_2D_OPTIONS] = FIELDS(ENUM("padding", 1), NUMBER("stride_w", 4),
		NUMBER("stride_h", 4), NUMBER("filter_width", 4), NUMBER("filter_height", 4),
		ENUM("fused_activation_function", 5)),
	[SCHEMA_SVDF_OPTIONS] = FIELDS(NUMBER("rank", 4), ENUM("fused_activation_function", 5),
		NUMBER("asymmetric_quantize_inputs", 1)),
	[SCHEMA_RNN_OPTIONS] = FIELDS(
		ENUM("fused_activation_function", 5), NUMBER("asymmetric_quantize_inputs", 1)),
	[SCHEMA_FULLY_CONNECTED_OPTIONS] = FIELDS(ENUM("fused_activation_function", 5),
		ENUM("weights_format", 1), NUMBER("keep_num_dims", 1),
		NUMBER("asymmetric_quantize_inputs", 1), ENUM("quantized_bias_type", 22)),
	[SCHEMA_SOFTMAX_OPTIONS] = FIELDS(NUMBER("beta", 4)),
	[SCHEMA_CONCATENATION_OPTIONS] =
		FIELDS(NUMBER("axis", 4), ENUM("fused_activation_function", 5)),
	[SCHEMA_ADD_OPTIONS] =
		FIELDS(ENUM("fused_activation_function", 5), NUMBER("pot_scale_int16", 1)),
	[SCHEMA_L2_NORM_OPTIONS] = FIELDS(ENUM("fused_activation_function", 5)),
	[SCHEMA_LOCAL_RESPONSE_NORMALIZATION_OPTIONS] = FIELDS(
		NUMBER("radius", 4), NUMBER("bias", 4), NUMBER("alpha", 4), NUMBER("beta", 4)),
	[SCHEMA_LSTM_OPTIONS] = FIELDS(ENUM("fused_activation_function", 5), NUMBER("cell_clip", 4),
		NUMBER("proj_clip", 4), ENUM("kernel_type", 1),
		NUMBER("asymmetric_quantize_inputs", 1)),
	[SCHEMA_RESIZE_BILINEAR_OPTIONS] = FIELDS(SKIP("new_height"), SKIP("new_width"),
		NUMBER("align_corners", 1), NUMBER("half_pixel_centers", 1)),
	[SCHEMA_CALL_OPTIONS] = FIELDS(NUMBER("subgraph", 4)),
	[SCHEMA_RESHAPE_OPTIONS] = FIELDS(VECTOR("new_shape", 4)),
	[SCHEMA_SKIP_GRAM_OPTIONS] = FIELDS(NUMBER("ngram_size", 4), NUMBER("max_skip_size", 4),
		NUMBER("include_all_ngrams", 1)),
	[SCHEMA_SPACE_TO_DEPTH_OPTIONS] = FIELDS(NUMBER("block_size", 4)),
	[SCHEMA_EMBEDDING_LOOKUP_SPARSE_OPTIONS] = FIELDS(ENUM("combiner", 2)),
	[SCHEMA_MUL_OPTIONS] = FIELDS(ENUM("fused_activation_function", 5)),
	[SCHEMA_GATHER_OPTIONS] = FIELDS(NUMBER("axis", 4), NUMBER("batch_dims", 4)),
	[SCHEMA_REDUCER_OPTIONS] = FIELDS(NUMBER("keep_dims", 1)),
	[SCHEMA_SUB_OPTIONS] =
		FIELDS(ENUM("fused_activation_function", 5), NUMBER("pot_scale_int16", 1)),
	[SCHEMA_DIV_OPTIONS] = FIELDS(ENUM("fused_activation_function", 5)),
	[SCHEMA_SQUEEZE_OPTIONS] = FIELDS(VECTOR("squeeze_dims", 4)),
	[SCHEMA_SEQUENCE_RNN_OPTIONS] = FIELDS(NUMBER("time_major", 1),
		ENUM("fused_activation_function", 5), NUMBER("asymmetric_quantize_inputs", 1)),
	[SCHEMA_STRIDED_SLICE_OPTIONS] = FIELDS(NUMBER("begin_mask", 4), NUMBER("end_mask", 4),
		NUMBER("ellipsis_mask", 4), NUMBER("new_axis_mask", 4),
		NUMBER("shrink_axis_mask", 4), NUMBER("offset", 1)),
	[SCHEMA_SPLIT_OPTIONS] = FIELDS(NUMBER("num_splits", 4)),
	[SCHEMA_CAST_OPTIONS] = FIELDS(ENUM("in_data_type", 22), ENUM("out_data_type", 22)),
	[SCHEMA_ARG_MAX_OPTIONS] = FIELDS(ENUM("output_type", 22)),
	[SCHEMA_TRANSPOSE_CONV_OPTIONS] =
		FIELDS(ENUM("padding", 1), NUMBER("stride_w", 4), NUMBER("stride_h", 4),
			ENUM("fused_activation_function", 5), ENUM("quantized_bias_type", 22)),
	[SCHEMA_SPARSE_TO_DENSE_OPTIONS] = FIELDS(NUMBER("validate_indices", 1)),
	[SCHEMA_SHAPE_OPTIONS] = FIELDS(ENUM("out_type", 22)),
	[SCHEMA_ARG_MIN_OPTIONS] = FIELDS(ENUM("output_type", 22)),
	[SCHEMA_FAKE_QUANT_OPTIONS] = FIELDS(NUMBER("min", 4), NUMBER("max", 4),
		NUMBER("num_bits", 4), NUMBER("narrow_range", 1)),
	[SCHEMA_PACK_OPTIONS] = FIELDS(NUMBER("values_count", 4), NUMBER("axis", 4)),
	[SCHEMA_ONE_HOT_OPTIONS] = FIELDS(NUMBER("axis", 4)),
	[SCHEMA_UNPACK_OPTIONS] = FIELDS(NUMBER("num", 4), NUMBER("axis", 4)),
	[SCHEMA_BIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS] = FIELDS(ENUM("fused_activation_function", 5),
		NUMBER("cell_clip", 4), NUMBER("proj_clip", 4), NUMBER("merge_outputs", 1),
		NUMBER("time_major", 1), NUMBER("asymmetric_quantize_inputs", 1)),
	[SCHEMA_BIDIRECTIONAL_SEQUENCE_RNN_OPTIONS] =
		FIELDS(NUMBER("time_major", 1), ENUM("fused_activation_function", 5),
			NUMBER("merge_outputs", 1), NUMBER("asymmetric_quantize_inputs", 1)),
	[SCHEMA_UNIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS] = FIELDS(ENUM("fused_activation_function", 5),
		NUMBER("cell_clip", 4), NUMBER("proj_clip", 4), NUMBER("time_major", 1),
		NUMBER("asymmetric_quantize_inputs", 1), NUMBER("diagonal_recurrent_tensors", 1)),
	[SCHEMA_RESIZE_NEAREST_NEIGHBOR_OPTIONS] =
		FIELDS(NUMBER("align_corners", 1), NUMBER("half_pixel_centers", 1)),
	[SCHEMA_LEAKY_RELU_OPTIONS] = FIELDS(NUMBER("alpha", 4)),
	[SCHEMA_MIRROR_PAD_OPTIONS] = FIELDS(ENUM("mode", 1)),
	[SCHEMA_SPLIT_V_OPTIONS] = FIELDS(NUMBER("num_splits", 4)),
	[SCHEMA_UNIQUE_OPTIONS] = FIELDS(ENUM("idx_out_type", 22)),
	[SCHEMA_REVERSE_SEQUENCE_OPTIONS] = FIELDS(NUMBER("seq_dim", 4), NUMBER("batch_dim", 4)),
	[SCHEMA_IF_OPTIONS] =
		FIELDS(NUMBER("then_subgraph_index", 4), NUMBER("else_subgraph_index", 4)),
	[SCHEMA_WHILE_OPTIONS] =
		FIELDS(NUMBER("cond_subgraph_index", 4), NUMBER("body_subgraph_index", 4)),
	[SCHEMA_DEPTH_TO_SPACE_OPTIONS] = FIELDS(NUMBER("block_size", 4)),
	[SCHEMA_BATCH_MATMUL_OPTIONS] = FIELDS(
		NUMBER("adj_x", 1), NUMBER("adj_y", 1), NUMBER("asymmetric_quantize_inputs", 1)),
	[SCHEMA_CUMSUM_OPTIONS] = FIELDS(NUMBER("exclusive", 1), NUMBER("reverse", 1)),
	[SCHEMA_CALL_ONCE_OPTIONS] = FIELDS(NUMBER("init_subgraph_index", 4)),
	[SCHEMA_CONV_3D_OPTIONS] = FIELDS(ENUM("padding", 1), NUMBER("stride_d", 4),
		NUMBER("stride_w", 4), NUMBER("stride_h", 4), ENUM("fused_activation_function", 5),
		NUMBER("dilation_d_factor", 4), NUMBER("dilation_w_factor", 4),
		NUMBER("dilation_h_factor", 4)),
	[SCHEMA_HASHTABLE_OPTIONS] =
		FIELDS(NUMBER("table_id", 4), ENUM("key_dtype", 22), ENUM("value_dtype", 22)),
	[SCHEMA_VAR_HANDLE_OPTIONS] = FIELDS(STRING("container"), STRING("shared_name")),
	[SCHEMA_RANDOM_OPTIONS] = FIELDS(NUMBER("seed", 8), NUMBER("seed2", 8)),
	[SCHEMA_BUCKETIZE_OPTIONS] = FIELDS(VECTOR("boundaries", 4)),
	[SCHEMA_GELU_OPTIONS] = FIELDS(NUMBER("approximate", 1)),
	[SCHEMA_STABLEHLO_CONCATENATE_OPTIONS] = FIELDS(NUMBER("dimension", 8)),
	[SCHEMA_STABLEHLO_BROADCAST_IN_DIM_OPTIONS] = FIELDS(VECTOR("broadcast_dimensions", 8)),
	[SCHEMA_STABLEHLO_SLICE_OPTIONS] = FIELDS(
		VECTOR("start_indices", 8), VECTOR("limit_indices", 8), VECTOR("strides", 8)),
	[SCHEMA_STABLEHLO_CONVOLUTION_OPTIONS] = FIELDS(VECTOR("window_strides", 8),
		VECTOR("padding", 8), VECTOR("lhs_dilation", 8), VECTOR("rhs_dilation", 8),
		VECTOR("window_reversal", 1), NUMBER("input_batch_dimension", 8),
		NUMBER("input_feature_dimension", 8), VECTOR("input_spatial_dimensions", 8),
		NUMBER("kernel_input_feature_dimension", 8),
		NUMBER("kernel_output_feature_dimension", 8),
		VECTOR("kernel_spatial_dimensions", 8), NUMBER("output_batch_dimension", 8),
		NUMBER("output_feature_dimension", 8), VECTOR("output_spatial_dimensions", 8),
		NUMBER("feature_group_count", 8), NUMBER("batch_group_count", 8),
		VECTOR("precision_config", 4)),
	[SCHEMA_STABLEHLO_CUSTOM_CALL_OPTIONS] = FIELDS(STRING("call_target_name"),
		NUMBER("has_side_effect", 1), STRING("backend_config"), NUMBER("api_version", 4),
		VECTOR("called_computations", 4), VECTOR("custom_attributes", 1)),
	[SCHEMA_STABLEHLO_REDUCE_OPTIONS] =
		FIELDS(VECTOR("dimensions", 8), NUMBER("body_subgraph_index", 4)),
	[SCHEMA_STABLEHLO_SCATTER_OPTIONS] = FIELDS(NUMBER("indices_are_sorted", 1),
		VECTOR("update_window_dims", 8), VECTOR("inserted_window_dims", 8),
		VECTOR("scatter_dims_to_operand_dims", 8), NUMBER("index_vector_dim", 8),
		NUMBER("unique_indices", 1), NUMBER("update_computation_subgraph_index", 4)),
	[SCHEMA_STABLEHLO_COMPARE_OPTIONS] =
		FIELDS(ENUM32("comparison_direction", 5), ENUM32("compare_type", 4)),
	[SCHEMA_STABLEHLO_DYNAMIC_SLICE_OPTIONS] = FIELDS(VECTOR("slice_sizes", 8)),
	[SCHEMA_STABLEHLO_PAD_OPTIONS] = FIELDS(VECTOR("edge_padding_low", 8),
		VECTOR("edge_padding_high", 8), VECTOR("interior_padding", 8)),
	[SCHEMA_STABLEHLO_IOTA_OPTIONS] = FIELDS(NUMBER("iota_dimension", 8)),
	[SCHEMA_STABLEHLO_DOT_GENERAL_OPTIONS] = FIELDS(VECTOR("lhs_batching_dimensions", 8),
		VECTOR("rhs_batching_dimensions", 8), VECTOR("lhs_contracting_dimensions", 8),
		VECTOR("rhs_contracting_dimensions", 8), VECTOR("precision_config", 4)),
	[SCHEMA_STABLEHLO_REDUCE_WINDOW_OPTIONS] =
		FIELDS(VECTOR("window_dimensions", 8), VECTOR("window_strides", 8),
			VECTOR("base_dilations", 8), VECTOR("window_dilations", 8),
			VECTOR("padding", 8), NUMBER("body_subgraph_index", 4)),
	[SCHEMA_STABLEHLO_SORT_OPTIONS] = FIELDS(NUMBER("dimension", 8), NUMBER("is_stable", 1),
		NUMBER("comparator_subgraph_index", 4)),
	[SCHEMA_STABLEHLO_WHILE_OPTIONS] =
		FIELDS(NUMBER("cond_subgraph_index", 4), NUMBER("body_subgraph_index", 4)),
	[SCHEMA_STABLEHLO_GATHER_OPTIONS] =
		FIELDS(VECTOR("offset_dims", 8), VECTOR("collapsed_slice_dims", 8),
			VECTOR("start_index_map", 8), NUMBER("index_vector_dim", 8),
			VECTOR("slice_sizes", 8), NUMBER("indices_are_sorted", 1)),
	[SCHEMA_STABLEHLO_TRANSPOSE_OPTIONS] = FIELDS(VECTOR("permutation", 8)),
	[SCHEMA_STABLEHLO_RNG_BIT_GENERATOR_OPTIONS] = FIELDS(ENUM("algorithm", 2)),
	[SCHEMA_REDUCE_WINDOW_OPTIONS] = FIELDS(ENUM32("reduce_function", 6)),
	[SCHEMA_STABLEHLO_COMPOSITE_OPTIONS] = FIELDS(STRING("name"),
		NUMBER("decomposition_subgraph_index", 4), VECTOR("composite_attributes", 1),
		ENUM("composite_attributes_format", 0), NUMBER("version", 4)),
	[SCHEMA_STABLEHLO_CASE_OPTIONS] = FIELDS(VECTOR("branch_subgraph_indices", 4)),
	[SCHEMA_MODEL_METADATA] = FIELDS(STRING("name"), STRING("description"), STRING("version"),
		TABLES("subgraph_metadata", SUBGRAPH_METADATA), STRING("author"), STRING("license"),
		TABLES("associated_files", ASSOCIATED_FILE), STRING("min_parser_version")),
	[SCHEMA_SUBGRAPH_METADATA] = FIELDS(STRING("name"), STRING("description"),
		TABLES("input_tensor_metadata", TENSOR_METADATA),
		TABLES("output_tensor_metadata", TENSOR_METADATA),
		TABLES("associated_files", ASSOCIATED_FILE),
		TABLES("input_process_units", PROCESS_UNIT),
		TABLES("output_process_units", PROCESS_UNIT),
		TABLES("input_tensor_groups", TENSOR_GROUP),
		TABLES("output_tensor_groups", TENSOR_GROUP)),
	[SCHEMA_TENSOR_METADATA] =
		FIELDS(STRING("name"), STRING("description"), STRINGS("dimension_names"),
			TABLE("content", CONTENT), TABLES("process_units", PROCESS_UNIT),
			TABLE("stats", STATS), TABLES("associated_files", ASSOCIATED_FILE)),
	[SCHEMA_ASSOCIATED_FILE] = FIELDS(STRING("name"), STRING("description"), NUMBER("type", 1),
		STRING("locale"), STRING("version")),
	[SCHEMA_CONTENT] = FIELDS(
		UNION("content_properties", CONTENT_PROPERTIES), TABLE("range", VALUE_RANGE)),
	[SCHEMA_IMAGE_PROPERTIES] =
		FIELDS(NUMBER("color_space", 1), TABLE("default_size", IMAGE_SIZE)),
	[SCHEMA_IMAGE_SIZE] = FIELDS(NUMBER("width", 4), NUMBER("height", 4)),
	[SCHEMA_BOUNDING_BOX_PROPERTIES] =
		FIELDS(VECTOR("index", 4), NUMBER("type", 1), NUMBER("coordinate_type", 1)),
	[SCHEMA_AUDIO_PROPERTIES] = FIELDS(NUMBER("sample_rate", 4), NUMBER("channels", 4)),
	[SCHEMA_VALUE_RANGE] = FIELDS(NUMBER("min", 4), NUMBER("max", 4)),
	[SCHEMA_PROCESS_UNIT] = FIELDS(UNION("options", PROCESS_UNIT_OPTIONS)),
	[SCHEMA_NORMALIZATION_OPTIONS] = FIELDS(VECTOR("mean", 4), VECTOR("std", 4)),
	[SCHEMA_SCORE_CALIBRATION_OPTIONS] =
		FIELDS(NUMBER("score_transformation", 1), NUMBER("default_score", 4)),
	[SCHEMA_SCORE_THRESHOLDING_OPTIONS] = FIELDS(NUMBER("global_score_threshold", 4)),
	[SCHEMA_BERT_TOKENIZER_OPTIONS] = FIELDS(TABLES("vocab_file", ASSOCIATED_FILE)),
	[SCHEMA_SENTENCE_PIECE_TOKENIZER_OPTIONS] =
		FIELDS(TABLES("sentencePiece_model", ASSOCIATED_FILE),
			TABLES("vocab_file", ASSOCIATED_FILE)),
	[SCHEMA_REGEX_TOKENIZER_OPTIONS] =
		FIELDS(STRING("delim_regex_pattern"), TABLES("vocab_file", ASSOCIATED_FILE)),
	[SCHEMA_STATS] = FIELDS(VECTOR("max", 4), VECTOR("min", 4)),
	[SCHEMA_TENSOR_GROUP] = FIELDS(STRING("name"), STRINGS("tensor_names")),
};

const struct schema_union_table schema_unions[SCHEMA_UNION_COUNT] = {
	[SCHEMA_UNION_QUANTIZATION_DETAILS] = TYPES(SCHEMA_CUSTOM_QUANTIZATION,
		SCHEMA_BLOCKWISE_QUANTIZATION, SCHEMA_MULTI_AXIS_QUANTIZATION),
	[SCHEMA_UNION_SPARSE_INDEX_VECTOR] =
		TYPES(SCHEMA_INT32_VECTOR, SCHEMA_UINT16_VECTOR, SCHEMA_UINT8_VECTOR),
	[SCHEMA_UNION_BUILTIN_OPTIONS] = TYPES(SCHEMA_CONV_2D_OPTIONS,
		SCHEMA_DEPTHWISE_CONV_2D_OPTIONS, SCHEMA_CONCAT_EMBEDDINGS_OPTIONS,
		SCHEMA_LSH_PROJECTION_OPTIONS, SCHEMA_POOL_2D_OPTIONS, SCHEMA_SVDF_OPTIONS,
		SCHEMA_RNN_OPTIONS, SCHEMA_FULLY_CONNECTED_OPTIONS, SCHEMA_SOFTMAX_OPTIONS,
		SCHEMA_CONCATENATION_OPTIONS, SCHEMA_ADD_OPTIONS, SCHEMA_L2_NORM_OPTIONS,
		SCHEMA_LOCAL_RESPONSE_NORMALIZATION_OPTIONS, SCHEMA_LSTM_OPTIONS,
		SCHEMA_RESIZE_BILINEAR_OPTIONS, SCHEMA_CALL_OPTIONS, SCHEMA_RESHAPE_OPTIONS,
		SCHEMA_SKIP_GRAM_OPTIONS, SCHEMA_SPACE_TO_DEPTH_OPTIONS,
		SCHEMA_EMBEDDING_LOOKUP_SPARSE_OPTIONS, SCHEMA_MUL_OPTIONS, SCHEMA_EMPTY,
		SCHEMA_GATHER_OPTIONS, SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_EMPTY,
		SCHEMA_REDUCER_OPTIONS, SCHEMA_SUB_OPTIONS, SCHEMA_DIV_OPTIONS,
		SCHEMA_SQUEEZE_OPTIONS, SCHEMA_SEQUENCE_RNN_OPTIONS, SCHEMA_STRIDED_SLICE_OPTIONS,
		SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_SPLIT_OPTIONS, SCHEMA_EMPTY, SCHEMA_CAST_OPTIONS,
		SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_ARG_MAX_OPTIONS, SCHEMA_EMPTY, SCHEMA_EMPTY,
		SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_EMPTY,
		SCHEMA_TRANSPOSE_CONV_OPTIONS, SCHEMA_SPARSE_TO_DENSE_OPTIONS, SCHEMA_EMPTY,
		SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_SHAPE_OPTIONS, SCHEMA_EMPTY,
		SCHEMA_ARG_MIN_OPTIONS, SCHEMA_FAKE_QUANT_OPTIONS, SCHEMA_PACK_OPTIONS,
		SCHEMA_EMPTY, SCHEMA_ONE_HOT_OPTIONS, SCHEMA_EMPTY, SCHEMA_EMPTY,
		SCHEMA_UNPACK_OPTIONS, SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_EMPTY,
		SCHEMA_BIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS,
		SCHEMA_BIDIRECTIONAL_SEQUENCE_RNN_OPTIONS,
		SCHEMA_UNIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS, SCHEMA_EMPTY, SCHEMA_EMPTY,
		SCHEMA_RESIZE_NEAREST_NEIGHBOR_OPTIONS, SCHEMA_LEAKY_RELU_OPTIONS, SCHEMA_EMPTY,
		SCHEMA_MIRROR_PAD_OPTIONS, SCHEMA_EMPTY, SCHEMA_SPLIT_V_OPTIONS,
		SCHEMA_UNIQUE_OPTIONS, SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_EMPTY,
		SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_REVERSE_SEQUENCE_OPTIONS, SCHEMA_EMPTY,
		SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_IF_OPTIONS, SCHEMA_WHILE_OPTIONS,
		SCHEMA_DEPTH_TO_SPACE_OPTIONS, SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_EMPTY,
		SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_BATCH_MATMUL_OPTIONS,
		SCHEMA_CUMSUM_OPTIONS, SCHEMA_CALL_ONCE_OPTIONS, SCHEMA_EMPTY, SCHEMA_EMPTY,
		SCHEMA_CONV_3D_OPTIONS, SCHEMA_HASHTABLE_OPTIONS, SCHEMA_EMPTY, SCHEMA_EMPTY,
		SCHEMA_EMPTY, SCHEMA_VAR_HANDLE_OPTIONS, SCHEMA_EMPTY, SCHEMA_EMPTY,
		SCHEMA_RANDOM_OPTIONS, SCHEMA_BUCKETIZE_OPTIONS, SCHEMA_GELU_OPTIONS, SCHEMA_EMPTY,
		SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_EMPTY,
		SCHEMA_EMPTY, SCHEMA_EMPTY, SCHEMA_EMPTY),
	[SCHEMA_UNION_BUILTIN_OPTIONS_2] = TYPES(SCHEMA_STABLEHLO_CONCATENATE_OPTIONS,
		SCHEMA_STABLEHLO_BROADCAST_IN_DIM_OPTIONS, SCHEMA_STABLEHLO_SLICE_OPTIONS,
		SCHEMA_STABLEHLO_CONVOLUTION_OPTIONS, SCHEMA_STABLEHLO_CUSTOM_CALL_OPTIONS,
		SCHEMA_STABLEHLO_REDUCE_OPTIONS, SCHEMA_STABLEHLO_SCATTER_OPTIONS,
		SCHEMA_STABLEHLO_COMPARE_OPTIONS, SCHEMA_STABLEHLO_DYNAMIC_SLICE_OPTIONS,
		SCHEMA_STABLEHLO_PAD_OPTIONS, SCHEMA_STABLEHLO_IOTA_OPTIONS,
		SCHEMA_STABLEHLO_DOT_GENERAL_OPTIONS, SCHEMA_STABLEHLO_REDUCE_WINDOW_OPTIONS,
		SCHEMA_STABLEHLO_SORT_OPTIONS, SCHEMA_STABLEHLO_WHILE_OPTIONS,
		SCHEMA_STABLEHLO_GATHER_OPTIONS, SCHEMA_STABLEHLO_TRANSPOSE_OPTIONS, SCHEMA_EMPTY,
		SCHEMA_STABLEHLO_RNG_BIT_GENERATOR_OPTIONS, SCHEMA_REDUCE_WINDOW_OPTIONS,
		SCHEMA_STABLEHLO_COMPOSITE_OPTIONS, SCHEMA_EMPTY, SCHEMA_STABLEHLO_CASE_OPTIONS),
	[SCHEMA_UNION_CONTENT_PROPERTIES] = TYPES(SCHEMA_EMPTY, SCHEMA_IMAGE_PROPERTIES,
		SCHEMA_BOUNDING_BOX_PROPERTIES, SCHEMA_AUDIO_PROPERTIES),
	[SCHEMA_UNION_PROCESS_UNIT_OPTIONS] =
		TYPES(SCHEMA_NORMALIZATION_OPTIONS, SCHEMA_SCORE_CALIBRATION_OPTIONS,
			SCHEMA_SCORE_THRESHOLDING_OPTIONS, SCHEMA_BERT_TOKENIZER_OPTIONS,
			SCHEMA_SENTENCE_PIECE_TOKENIZER_OPTIONS, SCHEMA_REGEX_TOKENIZER_OPTIONS),
};
