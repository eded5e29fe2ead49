/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema_tables - the tables of schema.fbs and metadata_schema.fbs, fields in the order of their slots
 *
 * SCHEMA_TABLE(name, fields); a field is one of
 *
 *   NUMBER(name, bytes)  ENUM(name, greatest value)  ENUM32(the same, of 4 bytes)  STRING(name)
 *   STRINGS(name)  VECTOR(name, bytes of a number)  TABLE(name, type)  TABLES(name, type)
 *   UNION(name, union), which takes two slots: name_type and name  SKIP(name), which is deprecated
 *
 * Included by schema.h and schema.c only, which define the macros; they are undefined at the end.
 */
/* clang-format off */
SCHEMA_TABLE(MODEL,
	NUMBER(version, 4) TABLES(operator_codes, OPERATOR_CODE) TABLES(subgraphs, SUBGRAPH)
	STRING(description) TABLES(buffers, BUFFER) VECTOR(metadata_buffer, 4)
	TABLES(metadata, METADATA) TABLES(signature_defs, SIGNATURE_DEF)
	TABLES(external_buffer_groups, EXTERNAL_BUFFER_GROUP)
	TABLES(external_buffers, EXTERNAL_BUFFER))
SCHEMA_TABLE(OPERATOR_CODE,
	NUMBER(deprecated_builtin_code, 1) STRING(custom_code) NUMBER(version, 4)
	NUMBER(builtin_code, 4))
SCHEMA_TABLE(SUBGRAPH,
	TABLES(tensors, TENSOR) VECTOR(inputs, 4) VECTOR(outputs, 4) TABLES(operators, OPERATOR)
	STRING(name) NUMBER(debug_metadata_index, 4))
SCHEMA_TABLE(TENSOR,
	VECTOR(shape, 4) ENUM(type, 18) NUMBER(buffer, 4) STRING(name)
	TABLE(quantization, QUANTIZATION_PARAMETERS) NUMBER(is_variable, 1)
	TABLE(sparsity, SPARSITY_PARAMETERS) VECTOR(shape_signature, 4) NUMBER(has_rank, 1)
	TABLES(variant_tensors, VARIANT_SUB_TYPE) NUMBER(external_buffer, 4))
SCHEMA_TABLE(QUANTIZATION_PARAMETERS,
	VECTOR(min, 4) VECTOR(max, 4) VECTOR(scale, 4) VECTOR(zero_point, 8)
	UNION(details, QUANTIZATION_DETAILS) NUMBER(quantized_dimension, 4))
SCHEMA_TABLE(CUSTOM_QUANTIZATION, VECTOR(custom, 1))
SCHEMA_TABLE(BLOCKWISE_QUANTIZATION, NUMBER(scales, 4) NUMBER(zero_points, 4) NUMBER(block_size, 4))
SCHEMA_TABLE(MULTI_AXIS_QUANTIZATION,
	NUMBER(scales, 4) NUMBER(zero_points, 4) NUMBER(block_size, 4)
	VECTOR(quantized_dimensions, 4))
SCHEMA_TABLE(SPARSITY_PARAMETERS,
	VECTOR(traversal_order, 4) VECTOR(block_map, 4) TABLES(dim_metadata, DIMENSION_METADATA))
SCHEMA_TABLE(DIMENSION_METADATA,
	ENUM(format, 1) NUMBER(dense_size, 4) UNION(array_segments, SPARSE_INDEX_VECTOR)
	UNION(array_indices, SPARSE_INDEX_VECTOR))
SCHEMA_TABLE(INT32_VECTOR, VECTOR(values, 4))
SCHEMA_TABLE(UINT16_VECTOR, VECTOR(values, 2))
SCHEMA_TABLE(UINT8_VECTOR, VECTOR(values, 1))
SCHEMA_TABLE(VARIANT_SUB_TYPE, VECTOR(shape, 4) ENUM(type, 22) NUMBER(has_rank, 1))
SCHEMA_TABLE(OPERATOR,
	NUMBER(opcode_index, 4) VECTOR(inputs, 4) VECTOR(outputs, 4)
	UNION(builtin_options, BUILTIN_OPTIONS) VECTOR(custom_options, 1)
	ENUM(custom_options_format, 0) VECTOR(mutating_variable_inputs, 1) VECTOR(intermediates, 4)
	NUMBER(large_custom_options_offset, 8) NUMBER(large_custom_options_size, 8)
	UNION(builtin_options_2, BUILTIN_OPTIONS_2) NUMBER(debug_metadata_index, 4))
SCHEMA_TABLE(BUFFER, VECTOR(data, 1) NUMBER(offset, 8) NUMBER(size, 8))
SCHEMA_TABLE(EXTERNAL_BUFFER_GROUP, STRING(name))
SCHEMA_TABLE(EXTERNAL_BUFFER,
	NUMBER(id, 4) NUMBER(group, 4) NUMBER(offset, 8) NUMBER(length, 8) STRING(packing))
SCHEMA_TABLE(METADATA, STRING(name) NUMBER(buffer, 4))
SCHEMA_TABLE(TENSOR_MAP, STRING(name) NUMBER(tensor_index, 4))
SCHEMA_TABLE(SIGNATURE_DEF,
	TABLES(inputs, TENSOR_MAP) TABLES(outputs, TENSOR_MAP) STRING(signature_key)
	SKIP(deprecated_tag) NUMBER(subgraph_index, 4))
SCHEMA_TABLE(CONV_2D_OPTIONS,
	ENUM(padding, 1) NUMBER(stride_w, 4) NUMBER(stride_h, 4) ENUM(fused_activation_function, 5)
	NUMBER(dilation_w_factor, 4) NUMBER(dilation_h_factor, 4) ENUM(quantized_bias_type, 22))
SCHEMA_TABLE(DEPTHWISE_CONV_2D_OPTIONS,
	ENUM(padding, 1) NUMBER(stride_w, 4) NUMBER(stride_h, 4) NUMBER(depth_multiplier, 4)
	ENUM(fused_activation_function, 5) NUMBER(dilation_w_factor, 4) NUMBER(dilation_h_factor, 4))
SCHEMA_TABLE(CONCAT_EMBEDDINGS_OPTIONS,
	NUMBER(num_channels, 4) VECTOR(num_columns_per_channel, 4)
	VECTOR(embedding_dim_per_channel, 4))
SCHEMA_TABLE(LSH_PROJECTION_OPTIONS, ENUM(type, 2))
SCHEMA_TABLE(POOL_2D_OPTIONS,
	ENUM(padding, 1) NUMBER(stride_w, 4) NUMBER(stride_h, 4) NUMBER(filter_width, 4)
	NUMBER(filter_height, 4) ENUM(fused_activation_function, 5))
SCHEMA_TABLE(SVDF_OPTIONS,
	NUMBER(rank, 4) ENUM(fused_activation_function, 5) NUMBER(asymmetric_quantize_inputs, 1))
SCHEMA_TABLE(RNN_OPTIONS, ENUM(fused_activation_function, 5) NUMBER(asymmetric_quantize_inputs, 1))
SCHEMA_TABLE(FULLY_CONNECTED_OPTIONS,
	ENUM(fused_activation_function, 5) ENUM(weights_format, 1) NUMBER(keep_num_dims, 1)
	NUMBER(asymmetric_quantize_inputs, 1) ENUM(quantized_bias_type, 22))
SCHEMA_TABLE(SOFTMAX_OPTIONS, NUMBER(beta, 4))
SCHEMA_TABLE(CONCATENATION_OPTIONS, NUMBER(axis, 4) ENUM(fused_activation_function, 5))
SCHEMA_TABLE(ADD_OPTIONS, ENUM(fused_activation_function, 5) NUMBER(pot_scale_int16, 1))
SCHEMA_TABLE(L2_NORM_OPTIONS, ENUM(fused_activation_function, 5))
SCHEMA_TABLE(LOCAL_RESPONSE_NORMALIZATION_OPTIONS,
	NUMBER(radius, 4) NUMBER(bias, 4) NUMBER(alpha, 4) NUMBER(beta, 4))
SCHEMA_TABLE(LSTM_OPTIONS,
	ENUM(fused_activation_function, 5) NUMBER(cell_clip, 4) NUMBER(proj_clip, 4)
	ENUM(kernel_type, 1) NUMBER(asymmetric_quantize_inputs, 1))
SCHEMA_TABLE(RESIZE_BILINEAR_OPTIONS,
	SKIP(new_height) SKIP(new_width) NUMBER(align_corners, 1) NUMBER(half_pixel_centers, 1))
SCHEMA_TABLE(CALL_OPTIONS, NUMBER(subgraph, 4))
SCHEMA_TABLE(RESHAPE_OPTIONS, VECTOR(new_shape, 4))
SCHEMA_TABLE(SKIP_GRAM_OPTIONS,
	NUMBER(ngram_size, 4) NUMBER(max_skip_size, 4) NUMBER(include_all_ngrams, 1))
SCHEMA_TABLE(SPACE_TO_DEPTH_OPTIONS, NUMBER(block_size, 4))
SCHEMA_TABLE(EMBEDDING_LOOKUP_SPARSE_OPTIONS, ENUM(combiner, 2))
SCHEMA_TABLE(MUL_OPTIONS, ENUM(fused_activation_function, 5))
SCHEMA_TABLE(GATHER_OPTIONS, NUMBER(axis, 4) NUMBER(batch_dims, 4))
SCHEMA_TABLE(REDUCER_OPTIONS, NUMBER(keep_dims, 1))
SCHEMA_TABLE(SUB_OPTIONS, ENUM(fused_activation_function, 5) NUMBER(pot_scale_int16, 1))
SCHEMA_TABLE(DIV_OPTIONS, ENUM(fused_activation_function, 5))
SCHEMA_TABLE(SQUEEZE_OPTIONS, VECTOR(squeeze_dims, 4))
SCHEMA_TABLE(SEQUENCE_RNN_OPTIONS,
	NUMBER(time_major, 1) ENUM(fused_activation_function, 5)
	NUMBER(asymmetric_quantize_inputs, 1))
SCHEMA_TABLE(STRIDED_SLICE_OPTIONS,
	NUMBER(begin_mask, 4) NUMBER(end_mask, 4) NUMBER(ellipsis_mask, 4) NUMBER(new_axis_mask, 4)
	NUMBER(shrink_axis_mask, 4) NUMBER(offset, 1))
SCHEMA_TABLE(SPLIT_OPTIONS, NUMBER(num_splits, 4))
SCHEMA_TABLE(CAST_OPTIONS, ENUM(in_data_type, 22) ENUM(out_data_type, 22))
SCHEMA_TABLE(ARG_MAX_OPTIONS, ENUM(output_type, 22))
SCHEMA_TABLE(TRANSPOSE_CONV_OPTIONS,
	ENUM(padding, 1) NUMBER(stride_w, 4) NUMBER(stride_h, 4) ENUM(fused_activation_function, 5)
	ENUM(quantized_bias_type, 22))
SCHEMA_TABLE(SPARSE_TO_DENSE_OPTIONS, NUMBER(validate_indices, 1))
SCHEMA_TABLE(SHAPE_OPTIONS, ENUM(out_type, 22))
SCHEMA_TABLE(ARG_MIN_OPTIONS, ENUM(output_type, 22))
SCHEMA_TABLE(FAKE_QUANT_OPTIONS,
	NUMBER(min, 4) NUMBER(max, 4) NUMBER(num_bits, 4) NUMBER(narrow_range, 1))
SCHEMA_TABLE(PACK_OPTIONS, NUMBER(values_count, 4) NUMBER(axis, 4))
SCHEMA_TABLE(ONE_HOT_OPTIONS, NUMBER(axis, 4))
SCHEMA_TABLE(UNPACK_OPTIONS, NUMBER(num, 4) NUMBER(axis, 4))
SCHEMA_TABLE(BIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS,
	ENUM(fused_activation_function, 5) NUMBER(cell_clip, 4) NUMBER(proj_clip, 4)
	NUMBER(merge_outputs, 1) NUMBER(time_major, 1) NUMBER(asymmetric_quantize_inputs, 1))
SCHEMA_TABLE(BIDIRECTIONAL_SEQUENCE_RNN_OPTIONS,
	NUMBER(time_major, 1) ENUM(fused_activation_function, 5) NUMBER(merge_outputs, 1)
	NUMBER(asymmetric_quantize_inputs, 1))
SCHEMA_TABLE(UNIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS,
	ENUM(fused_activation_function, 5) NUMBER(cell_clip, 4) NUMBER(proj_clip, 4)
	NUMBER(time_major, 1) NUMBER(asymmetric_quantize_inputs, 1)
	NUMBER(diagonal_recurrent_tensors, 1))
SCHEMA_TABLE(RESIZE_NEAREST_NEIGHBOR_OPTIONS,
	NUMBER(align_corners, 1) NUMBER(half_pixel_centers, 1))
SCHEMA_TABLE(LEAKY_RELU_OPTIONS, NUMBER(alpha, 4))
SCHEMA_TABLE(MIRROR_PAD_OPTIONS, ENUM(mode, 1))
SCHEMA_TABLE(SPLIT_V_OPTIONS, NUMBER(num_splits, 4))
SCHEMA_TABLE(UNIQUE_OPTIONS, ENUM(idx_out_type, 22))
SCHEMA_TABLE(REVERSE_SEQUENCE_OPTIONS, NUMBER(seq_dim, 4) NUMBER(batch_dim, 4))
SCHEMA_TABLE(IF_OPTIONS, NUMBER(then_subgraph_index, 4) NUMBER(else_subgraph_index, 4))
SCHEMA_TABLE(WHILE_OPTIONS, NUMBER(cond_subgraph_index, 4) NUMBER(body_subgraph_index, 4))
SCHEMA_TABLE(DEPTH_TO_SPACE_OPTIONS, NUMBER(block_size, 4))
SCHEMA_TABLE(BATCH_MATMUL_OPTIONS,
	NUMBER(adj_x, 1) NUMBER(adj_y, 1) NUMBER(asymmetric_quantize_inputs, 1))
SCHEMA_TABLE(CUMSUM_OPTIONS, NUMBER(exclusive, 1) NUMBER(reverse, 1))
SCHEMA_TABLE(CALL_ONCE_OPTIONS, NUMBER(init_subgraph_index, 4))
SCHEMA_TABLE(CONV_3D_OPTIONS,
	ENUM(padding, 1) NUMBER(stride_d, 4) NUMBER(stride_w, 4) NUMBER(stride_h, 4)
	ENUM(fused_activation_function, 5) NUMBER(dilation_d_factor, 4) NUMBER(dilation_w_factor, 4)
	NUMBER(dilation_h_factor, 4))
SCHEMA_TABLE(HASHTABLE_OPTIONS, NUMBER(table_id, 4) ENUM(key_dtype, 22) ENUM(value_dtype, 22))
SCHEMA_TABLE(VAR_HANDLE_OPTIONS, STRING(container) STRING(shared_name))
SCHEMA_TABLE(RANDOM_OPTIONS, NUMBER(seed, 8) NUMBER(seed2, 8))
SCHEMA_TABLE(BUCKETIZE_OPTIONS, VECTOR(boundaries, 4))
SCHEMA_TABLE(GELU_OPTIONS, NUMBER(approximate, 1))
SCHEMA_TABLE(STABLEHLO_CONCATENATE_OPTIONS, NUMBER(dimension, 8))
SCHEMA_TABLE(STABLEHLO_BROADCAST_IN_DIM_OPTIONS, VECTOR(broadcast_dimensions, 8))
SCHEMA_TABLE(STABLEHLO_SLICE_OPTIONS,
	VECTOR(start_indices, 8) VECTOR(limit_indices, 8) VECTOR(strides, 8))
SCHEMA_TABLE(STABLEHLO_CONVOLUTION_OPTIONS,
	VECTOR(window_strides, 8) VECTOR(padding, 8) VECTOR(lhs_dilation, 8) VECTOR(rhs_dilation, 8)
	VECTOR(window_reversal, 1) NUMBER(input_batch_dimension, 8)
	NUMBER(input_feature_dimension, 8) VECTOR(input_spatial_dimensions, 8)
	NUMBER(kernel_input_feature_dimension, 8) NUMBER(kernel_output_feature_dimension, 8)
	VECTOR(kernel_spatial_dimensions, 8) NUMBER(output_batch_dimension, 8)
	NUMBER(output_feature_dimension, 8) VECTOR(output_spatial_dimensions, 8)
	NUMBER(feature_group_count, 8) NUMBER(batch_group_count, 8) VECTOR(precision_config, 4))
SCHEMA_TABLE(STABLEHLO_CUSTOM_CALL_OPTIONS,
	STRING(call_target_name) NUMBER(has_side_effect, 1) STRING(backend_config)
	NUMBER(api_version, 4) VECTOR(called_computations, 4) VECTOR(custom_attributes, 1))
SCHEMA_TABLE(STABLEHLO_REDUCE_OPTIONS, VECTOR(dimensions, 8) NUMBER(body_subgraph_index, 4))
SCHEMA_TABLE(STABLEHLO_SCATTER_OPTIONS,
	NUMBER(indices_are_sorted, 1) VECTOR(update_window_dims, 8) VECTOR(inserted_window_dims, 8)
	VECTOR(scatter_dims_to_operand_dims, 8) NUMBER(index_vector_dim, 8)
	NUMBER(unique_indices, 1) NUMBER(update_computation_subgraph_index, 4))
SCHEMA_TABLE(STABLEHLO_COMPARE_OPTIONS, ENUM32(comparison_direction, 5) ENUM32(compare_type, 4))
SCHEMA_TABLE(STABLEHLO_DYNAMIC_SLICE_OPTIONS, VECTOR(slice_sizes, 8))
SCHEMA_TABLE(STABLEHLO_PAD_OPTIONS,
	VECTOR(edge_padding_low, 8) VECTOR(edge_padding_high, 8) VECTOR(interior_padding, 8))
SCHEMA_TABLE(STABLEHLO_IOTA_OPTIONS, NUMBER(iota_dimension, 8))
SCHEMA_TABLE(STABLEHLO_DOT_GENERAL_OPTIONS,
	VECTOR(lhs_batching_dimensions, 8) VECTOR(rhs_batching_dimensions, 8)
	VECTOR(lhs_contracting_dimensions, 8) VECTOR(rhs_contracting_dimensions, 8)
	VECTOR(precision_config, 4))
SCHEMA_TABLE(STABLEHLO_REDUCE_WINDOW_OPTIONS,
	VECTOR(window_dimensions, 8) VECTOR(window_strides, 8) VECTOR(base_dilations, 8)
	VECTOR(window_dilations, 8) VECTOR(padding, 8) NUMBER(body_subgraph_index, 4))
SCHEMA_TABLE(STABLEHLO_SORT_OPTIONS,
	NUMBER(dimension, 8) NUMBER(is_stable, 1) NUMBER(comparator_subgraph_index, 4))
SCHEMA_TABLE(STABLEHLO_WHILE_OPTIONS, NUMBER(cond_subgraph_index, 4) NUMBER(body_subgraph_index, 4))
SCHEMA_TABLE(STABLEHLO_GATHER_OPTIONS,
	VECTOR(offset_dims, 8) VECTOR(collapsed_slice_dims, 8) VECTOR(start_index_map, 8)
	NUMBER(index_vector_dim, 8) VECTOR(slice_sizes, 8) NUMBER(indices_are_sorted, 1))
SCHEMA_TABLE(STABLEHLO_TRANSPOSE_OPTIONS, VECTOR(permutation, 8))
SCHEMA_TABLE(STABLEHLO_RNG_BIT_GENERATOR_OPTIONS, ENUM(algorithm, 2))
SCHEMA_TABLE(REDUCE_WINDOW_OPTIONS, ENUM32(reduce_function, 6))
SCHEMA_TABLE(STABLEHLO_COMPOSITE_OPTIONS,
	STRING(name) NUMBER(decomposition_subgraph_index, 4) VECTOR(composite_attributes, 1)
	ENUM(composite_attributes_format, 0) NUMBER(version, 4))
SCHEMA_TABLE(STABLEHLO_CASE_OPTIONS, VECTOR(branch_subgraph_indices, 4))
SCHEMA_TABLE(MODEL_METADATA,
	STRING(name) STRING(description) STRING(version)
	TABLES(subgraph_metadata, SUBGRAPH_METADATA) STRING(author) STRING(license)
	TABLES(associated_files, ASSOCIATED_FILE) STRING(min_parser_version))
SCHEMA_TABLE(SUBGRAPH_METADATA,
	STRING(name) STRING(description) TABLES(input_tensor_metadata, TENSOR_METADATA)
	TABLES(output_tensor_metadata, TENSOR_METADATA) TABLES(associated_files, ASSOCIATED_FILE)
	TABLES(input_process_units, PROCESS_UNIT) TABLES(output_process_units, PROCESS_UNIT)
	TABLES(input_tensor_groups, TENSOR_GROUP) TABLES(output_tensor_groups, TENSOR_GROUP))
SCHEMA_TABLE(TENSOR_METADATA,
	STRING(name) STRING(description) STRINGS(dimension_names) TABLE(content, CONTENT)
	TABLES(process_units, PROCESS_UNIT) TABLE(stats, STATS)
	TABLES(associated_files, ASSOCIATED_FILE))
SCHEMA_TABLE(ASSOCIATED_FILE,
	STRING(name) STRING(description) NUMBER(type, 1) STRING(locale) STRING(version))
SCHEMA_TABLE(CONTENT, UNION(content_properties, CONTENT_PROPERTIES) TABLE(range, VALUE_RANGE))
SCHEMA_TABLE(IMAGE_PROPERTIES, NUMBER(color_space, 1) TABLE(default_size, IMAGE_SIZE))
SCHEMA_TABLE(IMAGE_SIZE, NUMBER(width, 4) NUMBER(height, 4))
SCHEMA_TABLE(BOUNDING_BOX_PROPERTIES, VECTOR(index, 4) NUMBER(type, 1) NUMBER(coordinate_type, 1))
SCHEMA_TABLE(AUDIO_PROPERTIES, NUMBER(sample_rate, 4) NUMBER(channels, 4))
SCHEMA_TABLE(VALUE_RANGE, NUMBER(min, 4) NUMBER(max, 4))
SCHEMA_TABLE(PROCESS_UNIT, UNION(options, PROCESS_UNIT_OPTIONS))
SCHEMA_TABLE(NORMALIZATION_OPTIONS, VECTOR(mean, 4) VECTOR(std, 4))
SCHEMA_TABLE(SCORE_CALIBRATION_OPTIONS, NUMBER(score_transformation, 1) NUMBER(default_score, 4))
SCHEMA_TABLE(SCORE_THRESHOLDING_OPTIONS, NUMBER(global_score_threshold, 4))
SCHEMA_TABLE(BERT_TOKENIZER_OPTIONS, TABLES(vocab_file, ASSOCIATED_FILE))
SCHEMA_TABLE(SENTENCE_PIECE_TOKENIZER_OPTIONS,
	TABLES(sentencePiece_model, ASSOCIATED_FILE) TABLES(vocab_file, ASSOCIATED_FILE))
SCHEMA_TABLE(REGEX_TOKENIZER_OPTIONS,
	STRING(delim_regex_pattern) TABLES(vocab_file, ASSOCIATED_FILE))
SCHEMA_TABLE(STATS, VECTOR(max, 4) VECTOR(min, 4))
SCHEMA_TABLE(TENSOR_GROUP, STRING(name) STRINGS(tensor_names))
/* clang-format on */
#undef SCHEMA_TABLE
#undef NUMBER
#undef ENUM
#undef ENUM32
#undef STRING
#undef STRINGS
#undef VECTOR
#undef TABLE
#undef TABLES
#undef UNION
#undef SKIP
